/** Renders tables as a paper or a browser shows them: LaTeX by pdflatex, HTML by Chromium. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cliProject, type CliProject } from "../helpers/cli.ts";
import { hasPrograms, run } from "../helpers/program.ts";
import { testFolder } from "../helpers/folder.ts";

const COLUMNS = ["btcv", "word", "amos", "ct1k", "abdomenatlas"];
const ROWS = ["none", "base", "nnunet", "stu-b", "stu-l", "stu-h"];

const PIPELINE = `version: 1
params: params.yaml
default: [tables/segthor.tex]
rules:
  target:
    run: lq:tasks/table-evaluations.ts
    in: { evaluations: "evaluations/segthor/", cases: "cases/" }
    with: { names: "\${names}", table: "\${table}", aggregation: "\${aggregation}", common: false, paper: segthor, target: segthor }
    out: [tables/segthor.tex, tables/segthor.html]
`;

// Names and notes have every character that LaTeX or HTML reads as a command.
const PARAMS = {
  names: {
    none: "[no] pre*train",
    base: "a_b & c% $d #e {f} \\g ~h ^i",
    nnunet: 'nnU-Net "<i>|" folds',
    ...{ btcv: "BTCV", word: "WORD", amos: "AMOS", ct1k: "CT-1K", abdomenatlas: "AbdomenAtlas" },
  },
  table: {
    title: "Table 2: fine-tuned on SegTHOR",
    caption: "First line.\n\nSecond line: ≤ 3 mm, “quoted”, Müller – 50 %.",
    notes: ["≥ 2 σ × 10 µm² − 1 → 0"],
  },
  aggregation: { deviation: "population" },
};

function project(): CliProject {
  const scores = (dice: number) => ({ dice, surface_dice: dice, hd95: null, assd: null });
  const evaluations = COLUMNS.flatMap((column, c) =>
    ROWS.map((row, r) => {
      const converged = !(row === "stu-b" && column === "ct1k");
      const cases = [0, 1, 2].map((i) => ({
        case: String(i),
        organs: { heart: scores(0.5 + ((r * 7 + c * 3) % 11) / 30 + i / 100) },
      }));
      const evaluation = converged
        ? { converged, step: null, why: null, cases }
        : { converged, step: "fine-tuning", why: "the loss did not fall", cases: [] };
      return [`evaluations/segthor/${column}/${row}.json`, JSON.stringify(evaluation)];
    }),
  );
  return cliProject({
    "pipeline.yaml": PIPELINE,
    "params.yaml": JSON.stringify(PARAMS),
    "cases/segthor.json": JSON.stringify({ synthetic: true }),
    ...(Object.fromEntries(evaluations) as { [path: string]: string }),
  });
}

describe.skipIf(!hasPrograms("pdflatex", "pdftotext"))("the LaTeX table", () => {
  test("compiles by itself, with all names, marks and explanations", async () => {
    const made = project();
    expect(await made.lq("build")).toMatchObject({ code: 0 });
    const text = compile(made.path("tables/segthor.tex"));
    expect(text).toContain(
      "Table 1: Fine-tuned on SegTHOR. First line. Second line: ≤ 3 mm, “quoted”, Müller",
    );
    expect(text).not.toContain("Table 2");
    for (const name of ["[no] pre*train", "& c% $d #e {f} \\g", "<i>|", "CT-1K"])
      expect(text).toContain(name);
    expect(text).toContain("Synthetic: every number here comes from computer-made");
    expect(text).toContain("Mean ± standard deviation over cases");
    expect(text).toContain("×: the training did not converge");
    expect(text).toMatch(/1 worst fifth.*5 best fifth/);
    expect(text).toContain("≥ 2 σ × 10 µm2 − 1 → 0");
    // Each value has its quintile as a digit: six rows, two metrics, five columns, two cells without a value.
    expect(text.match(/\d\d\.\d ± \d\.\d [1-5]/g)).toHaveLength(6 * 2 * 5 - 2);
  });

  test("can be read into a paper and referred to", async () => {
    const made = project();
    await made.lq("build");
    const paper = String.raw`\documentclass[twocolumn]{article}
\usepackage{booktabs,graphicx}
\usepackage[table]{xcolor}
\begin{document}
See Table~\ref{tab:segthor} of the results.
\input{segthor}
The end.
\end{document}`;
    writeFileSync(made.path("tables/paper.tex"), paper);
    const text = compile(made.path("tables/paper.tex"));
    expect(text).toContain("See Table 1 of the results.");
    expect(text).toContain("The end.");
  });
});

/** Text of the PDF, without line breaks. Throws if LaTeX finds an error or a line that is too wide. */
function compile(file: string): string {
  const out = testFolder();
  const folder = file.replace(/[^/]*$/, "");
  const args = ["-interaction=nonstopmode", "-halt-on-error", `-output-directory=${out}`, file];
  run("pdflatex", args, folder);
  // The second run knows the numbers of the labels.
  expect(run("pdflatex", args, folder)).not.toMatch(/Overfull|undefined|multiply/);
  const pdf = join(out, file.slice(folder.length).replace(/tex$/, "pdf"));
  return run("pdftotext", ["-layout", pdf, "-"]).normalize("NFC").replace(/\s+/g, " ");
}

/** Puts the lines of text in each cell, and whether the table scrolls, into the page's title. */
const MEASURE = `<script>
const lines = [...document.querySelectorAll("th, td")].flatMap((cell) => [...cell.childNodes].map((node) => {
  const range = document.createRange();
  range.selectNodeContents(node);
  return new Set([...range.getClientRects()].map((rect) => Math.round(rect.bottom / 9))).size;
}));
const { scrollWidth, clientWidth } = document.querySelector(".scroll");
document.title = JSON.stringify({ nodes: lines.length, most: Math.max(...lines), scrolls: scrollWidth > clientWidth });
</script>`;

describe.skipIf(!hasPrograms("chromium"))("the HTML table", () => {
  test("has the digits of the quintiles beside the values, and no column wraps at 1000 px", async () => {
    const made = project();
    await made.lq("build");
    const html = made.read("tables/segthor.html");
    expect(html).not.toContain("<sup");
    expect(html.match(/\d\d\.\d ± \d\.\d <span class="digit">[1-5]<\/span>/g)).toHaveLength(6 * 2 * 5 - 2);
    made.write("measured.html", html + MEASURE);
    const dom = run("chromium", [
      ...["--headless", "--no-sandbox", "--disable-gpu", `--user-data-dir=${made.path("chromium")}`],
      ...["--window-size=1000,800", "--dump-dom", `file://${made.path("measured.html")}`],
    ]);
    const [, title = "{}"] = /<title>(.*?)<\/title>/.exec(dom) ?? [];
    expect(JSON.parse(title)).toEqual({ nodes: expect.any(Number) as number, most: 1, scrolls: false });
  });
});
