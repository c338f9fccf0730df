/** Runs the tables' tasks in a small project, on result files that are written by hand. */
import { describe, expect, test } from "vitest";
import { Project } from "../helpers/project.ts";

const PIPELINE = `version: 1
params: params.yaml
default: [tables/segthor.md, tables/quality.md, tables/comparisons.md]
rules:
  target:
    run: lq:tasks/table-evaluations.ts
    in: { evaluations: "evaluations/segthor/", cases: "cases/" }
    with: { names: "\${names}", table: "\${table}", aggregation: "\${aggregation}", common: false, paper: segthor, target: segthor }
    out: [tables/segthor.md, tables/segthor.csv, tables/segthor.tex, tables/segthor.html, tables/segthor.cells.json]
  quality:
    run: lq:tasks/table-quality.ts
    in: { scores: "scores/", cases: "cases/" }
    with: { names: "\${names}", table: "\${table}", aggregation: "\${aggregation}" }
    out: [tables/quality.md, tables/quality.cells.json]
  comparisons:
    run: lq:tasks/table-comparisons.ts
    in: { scores: "scores/", evaluations: "evaluations/", cases: "cases/" }
    with: { names: "\${names}", table: "\${comparisons}" }
    out: { md: tables/comparisons.md, csv: tables/comparisons.csv }
`;

const PARAMS = `names: { none: no pretrain, base: base, stu-b: STU B, stu-l: STU L, btcv: BTCV, amos: AMOS, segthor: SegTHOR, quality: label quality }
table: { title: A table, caption: Of scores. }
aggregation: { deviation: population }
comparisons:
  title: Differences
  caption: Row by row.
  against: { quality: stu-l, segthor: none }
  bootstrap: { seed: 1, resamples: 500 }
`;

const scores = (dice: number | null) => ({ dice, surface_dice: dice, hd95: null, assd: null });

/** Cases "1", "2" and so on, each with one organ. */
const cases = (dices: readonly (number | null)[]) =>
  dices.map((dice, i) => ({ case: String(i + 1), organs: { heart: scores(dice) } }));

const evaluation = (dices: readonly number[]) =>
  JSON.stringify({ converged: true, step: null, why: null, cases: cases(dices) });

function project(): Project {
  const built = new Project({
    "pipeline.yaml": PIPELINE,
    "params.yaml": PARAMS,
    "cases/segthor.json": JSON.stringify({ synthetic: true }),
    "evaluations/segthor/btcv/none.json": evaluation([0.5, 0.6, 0.7, 0.4, 0.5, 0.6]),
    "evaluations/segthor/btcv/base.json": evaluation([0.6, 0.71, 0.82, 0.53, 0.64, 0.75]),
    "evaluations/segthor/btcv/stu-b.json": evaluation([0.5, 0.61, 0.68, 0.41, 0.48, 0.61]),
    "evaluations/segthor/amos/none.json": evaluation([0.5, 0.5, 0.5, 0.5, 0.5, 0.5]),
    "evaluations/segthor/amos/stu-b.json": JSON.stringify({
      converged: false,
      step: "pre-training",
      why: "pre-training: the loss did not fall",
      cases: [],
    }),
  });
  for (const [generator, dices] of [
    ["stu-b", [0.5, null, 0.7]],
    ["stu-l", [0.7, 0.8, 0.9]],
  ] as const)
    for (const { case: id, organs } of cases(dices))
      built.write(
        `scores/btcv/${generator}/${id}.json`,
        JSON.stringify({ case: id, predicts: ["heart"], organs }),
      );
  return built;
}

interface Cells {
  readonly format: number;
  readonly data: string;
  readonly cells: readonly {
    readonly row: string;
    readonly column: string;
    readonly metric: string;
    readonly state: string;
    readonly mean: number | null;
    readonly std: number | null;
    readonly from: readonly { readonly input: string; readonly file: string }[];
  }[];
}

describe("the study's tables", () => {
  test("name for each cell the files that it was computed from", async () => {
    const built = project();
    expect((await built.build()).failed).toEqual([]);
    const { format, data, cells } = JSON.parse(built.read("tables/segthor.cells.json")) as Cells;
    expect({ format, data, count: cells.length }).toEqual({ format: 1, data: "synthetic", count: 10 });
    const at = (row: string, column: string) =>
      cells.find((each) => each.row === row && each.column === column && each.metric === "Dice");
    expect(at("base", "BTCV")).toMatchObject({
      state: "scored",
      mean: (0.6 + 0.71 + 0.82 + 0.53 + 0.64 + 0.75) / 6,
      from: [{ input: "evaluations", file: "btcv/base.json" }],
    });
    expect(at("STU B", "AMOS")).toEqual({
      row: "STU B",
      column: "AMOS",
      metric: "Dice",
      state: "not converged in pre-training",
      mean: null,
      std: null,
      quintile: null,
      paper: 0.894,
      from: [{ input: "evaluations", file: "amos/stu-b.json" }],
    });
    expect(at("base", "AMOS")).toBeUndefined();

    const quality = JSON.parse(built.read("tables/quality.cells.json")) as Cells;
    expect(quality.cells[0]).toMatchObject({ row: "STU B", metric: "Dice", mean: 0.6 });
    expect(quality.cells[0]?.from).toEqual(
      ["1", "2", "3"].map((id) => ({ input: "scores", file: `btcv/stu-b/${id}.json` })),
    );
  });

  test("show the paper's value and the difference in the html version", async () => {
    const built = project();
    await built.build();
    // Table 2 of the paper has 87.4 ± 2.0 for "no pretrain" on BTCV; ours is 55.0.
    expect(built.read("tables/segthor.html")).toContain("<small>paper: 87.4 ± 2.0 (−32.4)</small>");
  });

  test("compare rows case by case, with equal results for equal seeds", async () => {
    const built = project();
    await built.build();
    const csv = built.read("tables/comparisons.csv");
    const lines = csv.split("\n").map((line) => line.split(","));
    const of = (experiment: string, row: string) =>
      lines.filter((line) => line[0] === experiment && line[1] === "Dice" && line[3] === row);
    // All six differences are positive: p = 2/64. Holm's correction doubles the smaller of the two rows' p values.
    const [base] = of("SegTHOR", "base");
    expect(base?.slice(4, 6)).toEqual(["no pretrain", "6"]);
    expect(Number(base?.[6])).toBeCloseTo(0.125, 12);
    expect(Number(base?.[7])).toBeGreaterThan(0.1);
    expect(Number(base?.[8])).toBeLessThan(0.15);
    expect(base?.slice(9, 11).map(Number)).toEqual([2 / 64, 4 / 64]);
    // A case without a score in one row forms no pair. A training that did not converge is not compared.
    expect(of("label quality", "STU B").map((line) => line[5])).toEqual(["2"]);
    expect(of("SegTHOR", "STU B").map((line) => line[2])).toEqual(["BTCV"]);
    const markdown = built.read("tables/comparisons.md");
    expect(markdown).toContain("## SegTHOR: difference from no pretrain");
    expect(markdown).toMatch(/\| base \| Dice \| \+12\.5 \[\+1\d\.\d, \+1\d\.\d\] \| – \|/);
    expect(markdown).toContain("Partly synthetic: all numbers of the columns SegTHOR: BTCV, SegTHOR: AMOS");
    await built.build({ force: true });
    expect(built.read("tables/comparisons.csv")).toBe(csv);
  });

  test("say which columns and rows come from phantoms", async () => {
    const built = project();
    const of = (synthetic: boolean) => JSON.stringify({ synthetic });
    built.write("cases/segthor.json", of(false));
    built.write("cases/btcv.json", of(true));
    built.write("cases/corpus.json", of(true));
    expect((await built.build()).failed).toEqual([]);
    expect(built.read("tables/quality.md")).toContain("> **Synthetic: every number here");
    expect(built.read("tables/segthor.md")).toContain(
      "> **Partly synthetic: some numbers of the columns BTCV (rows base, STU B) come from computer-made phantoms",
    );
    expect((JSON.parse(built.read("tables/segthor.cells.json")) as Cells).data).toBe("mixed");
    expect(built.read("tables/segthor.csv")).toMatch(/^STU B,Dice,BTCV,.*,synthetic$/m);
    expect(built.read("tables/segthor.csv")).toMatch(/^no pretrain,Dice,BTCV,.*,real$/m);

    built.write("cases/btcv.json", of(false));
    expect((await built.build()).failed).toEqual([]);
    for (const name of ["quality", "segthor", "comparisons"])
      expect(built.read(`tables/${name}.md`)).not.toMatch(/synthetic/i);
  });
});
