/** The renderers make the paper's tables, with its quintiles and blanks, from its printed numbers. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { describe, expect, it, test } from "vitest";
import paper from "../../tasks/study/tables/paper.json" with { type: "json" };
import { PAPER_TABLES, paperTable } from "../../tasks/study/tables/paper.ts";
import { renderMarkdown } from "../../tasks/study/tables/markdown.ts";
import { RENDERERS } from "../../tasks/study/tables/render.ts";
import { classes } from "../../tasks/study/tables/table.ts";
import { shared } from "../helpers/shared.ts";

const reference = shared("reference/paper-tables.yaml");
const IN_FILE: { readonly [key: string]: string } = {
  none: "no_pretrain",
  totalseg: "totalsegmentator",
  "stu-s": "stunet_s",
  "stu-b": "stunet_b",
  "stu-l": "stunet_l",
  "stu-h": "stunet_h",
};

interface Reference {
  readonly [table: string]: {
    readonly rows: { readonly [row: string]: { dice: unknown; surface_dice: unknown } };
  };
}
interface Quintiles {
  readonly [table: string]: { readonly [metric: string]: { readonly [row: string]: unknown } };
}

describe.runIf(reference)("the paper's numbers", () => {
  const file = (reference ? parse(readFileSync(reference, "utf8")) : {}) as Reference & {
    readonly quintiles: Quintiles;
  };

  it("equal the transcription of the paper", () => {
    for (const [ours, theirs] of [
      ["quality", "table1"],
      ["segthor", "table2"],
      ["flare", "table3"],
    ] as const) {
      for (const [row, values] of Object.entries(paper[ours])) {
        const expected = file[theirs]?.rows[IN_FILE[row] ?? row];
        expect({ ours, row, values }).toEqual({ ours, row, values: expected });
      }
    }
  });

  it.each([
    ["segthor", "table2"],
    ["flare", "table3"],
  ] as const)("give the quintiles of %s", (ours, theirs) => {
    const got = classes(paperTable(ours));
    Object.keys(paper[ours]).forEach((row, r) => {
      const name = IN_FILE[row] ?? row;
      expect([name, got[r]]).toEqual([
        name,
        [file.quintiles[theirs]?.dice?.[name], file.quintiles[theirs]?.surface_dice?.[name]],
      ]);
    });
  });
});

test.each(PAPER_TABLES)(
  "docs/tables/paper has %s as the code renders it (if not, run scripts/paper-tables.mjs)",
  (name) => {
    for (const ending of ["md", "csv", "tex", "html"]) {
      const file = new URL(`../../docs/tables/paper/${name}.${ending}`, import.meta.url);
      expect(readFileSync(file, "utf8")).toBe(RENDERERS[ending]?.(paperTable(name), name));
    }
  },
);

describe("renderings of the paper's table 2", () => {
  const table = paperTable("segthor");

  it("have the paper's rows, columns and blanks in Markdown", () => {
    const lines = renderMarkdown(table)
      .split("\n")
      .filter((line) => line.startsWith("|"));
    expect(lines).toHaveLength(2 + 9 * 2);
    expect(lines[0]).toBe("| | | BTCV | WORD | AMOS | CT-1K | AbdomenAtlas |");
    expect(lines.find((l) => l.startsWith("| STU B"))).toContain("| ✗ |");
    expect(lines[2]).toBe(
      "| no pretrain | Dice | 87.4 ± 2.0 ② | 87.0 ± 2.3 ① | 88.2 ± 2.2 ① | 86.5 ± 3.0 ① | 83.5 ± 8.6 ① |",
    );
  });

  it.each(Object.keys(RENDERERS))(
    "say that the numbers are synthetic, only where they are (%s)",
    (ending) => {
      const render = RENDERERS[ending];
      if (!render) throw new Error("no renderer");
      const rows = table.rows.map((row) => ({ ...row, synthetic: table.columns.map(() => true) }));
      expect(render({ ...table, rows }, "segthor")).toMatch(/synthetic/i);
      expect(render(table, "segthor")).not.toMatch(/synthetic/i);
    },
  );

  it("escape characters that have a meaning in the format", () => {
    const first = table.rows[0];
    if (!first) throw new Error("no rows");
    const odd = { ...table, rows: [{ ...first, name: "a|b <i> 50% & _x_" }] };
    expect(RENDERERS.md?.(odd, "odd")).toContain("a\\|b \\<i\\> 50% & \\_x\\_");
    expect(RENDERERS.html?.(odd, "odd")).toContain("a|b &#60;i&#62; 50% &#38; _x_");
    expect(RENDERERS.tex?.(odd, "odd")).toContain(
      "a\\textbar{}b \\textless{}i\\textgreater{} 50\\% \\& \\_x\\_",
    );
  });
});
