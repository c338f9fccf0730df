/** Cells of tables, comparisons of rows, and pairs of quality and performance, from small scores worked out by hand. */
import { describe, expect, it } from "vitest";
import { cellOf, evaluationCell } from "../../tasks/study/results/cells.ts";
import { compareRows } from "../../tasks/study/results/comparisons.ts";
import { qualityPairs } from "../../tasks/study/results/pairs.ts";
import type { CaseScores, Evaluation, GeneratorScores } from "../../tasks/study/results/results.ts";

const population = { deviation: "population" } as const;

/** A case with one Dice for each organ. */
function scored(id: string, dice: { readonly [organ: string]: number | null }): CaseScores {
  const none = { surface_dice: null, hd95: null, assd: null };
  const organs = Object.fromEntries(Object.entries(dice).map(([organ, d]) => [organ, { dice: d, ...none }]));
  return { case: id, organs };
}

const cases = [scored("a", { liver: 0.8, colon: 0.2 }), scored("b", { liver: 0.6, colon: null })];
const evaluation: Evaluation = { converged: true, step: null, why: null, cases };

describe("a cell", () => {
  it("is the mean of the organs' means, and the root mean square of their deviations", () => {
    const cell = cellOf(cases, ["liver", "colon"], "dice", population);
    expect(cell).toMatchObject({ kind: "score", mean: expect.closeTo(0.45, 12) as number });
    expect(cell).toMatchObject({ std: expect.closeTo(Math.sqrt((0.01 + 0) / 2), 12) as number });
  });

  it("of an evaluation is over the organs that it is asked for, or over all", () => {
    expect(evaluationCell(evaluation, ["liver"], "dice", population)).toMatchObject({
      mean: expect.closeTo(0.7, 12) as number,
    });
    expect(evaluationCell(evaluation, null, "dice", population)).toMatchObject({
      mean: expect.closeTo(0.45, 12) as number,
    });
    expect(evaluationCell(undefined, null, "dice", population)).toEqual({ kind: "absent" });
    expect(
      evaluationCell({ ...evaluation, converged: false, step: "fine-tuning" }, null, "dice", population),
    ).toEqual({
      kind: "not-converged",
      step: "fine-tuning",
    });
    expect(cellOf(cases, ["lung"], "dice", population)).toEqual({ kind: "absent" });
  });
});

describe("comparisons of rows", () => {
  it("are of ours less theirs, case by case; a case without a common score does not count", () => {
    const rows = new Map([
      ["ours", [...cases, scored("c", { liver: null })]],
      [
        "base",
        [scored("a", { liver: 0.5, colon: 0.1 }), scored("b", { liver: 0.5 }), scored("c", { liver: 1 })],
      ],
    ]);
    const options = {
      organs: ["liver", "colon"],
      metric: "dice",
      bootstrap: { seed: 1, resamples: 10 },
    } as const;
    const [comparison, ...more] = compareRows(rows, "base", options);
    expect(more).toEqual([]);
    // Case a: (0.3 + 0.1) / 2, case b: 0.1.
    expect(comparison).toMatchObject({ row: "ours", n: 2, mean: expect.closeTo(0.15, 12) as number });
  });
});

describe("pairs of quality and performance", () => {
  const generator = (predicts: string[], dice: { readonly [organ: string]: number }): GeneratorScores => ({
    predicts,
    cases: [{ ...scored("a", dice), file: "a" }],
  });
  const scores = new Map([
    ["stu", generator(["liver", "colon"], { liver: 0.9, colon: 0.1 })],
    ["med", generator(["liver"], { liver: 0.7 })],
  ]);
  const evaluations = new Map([
    ["base", evaluation],
    ["stu", evaluation],
    ["other", evaluation],
  ]);
  const pairs = (inDomain: boolean, originals: boolean) =>
    qualityPairs(scores, evaluations, { metric: "dice", aggregation: population, inDomain, originals });

  it("compare the organs that every generator predicts; the original labels have quality 1", () => {
    expect(pairs(true, true)).toMatchObject([
      { version: "base", quality: 1, performance: expect.closeTo(0.7, 12) as number },
      {
        version: "stu",
        quality: expect.closeTo(0.9, 12) as number,
        performance: expect.closeTo(0.7, 12) as number,
      },
    ]);
  });

  it("take all organs of another dataset, and the original labels only where asked for", () => {
    expect(pairs(false, false)).toMatchObject([
      {
        version: "stu",
        quality: expect.closeTo(0.9, 12) as number,
        performance: expect.closeTo(0.45, 12) as number,
      },
    ]);
  });
});
