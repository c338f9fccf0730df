import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { kFolds } from "../../tasks/study/splits/folds.ts";
import { shared } from "../helpers/shared.ts";

const cases = (n: number): { id: string }[] =>
  Array.from({ length: n }, (_, i) => ({ id: String(i).padStart(4, "0") }));

describe("folds", () => {
  it("are nnU-Net's for ten cases", () => {
    const { folds } = kFolds(cases(10), { count: 5, seed: 12345 });
    const held = folds.map(({ val }) => val.map(Number));
    expect(held).toEqual([
      [0, 7],
      [3, 9],
      [4, 6],
      [1, 8],
      [2, 5],
    ]);
  });

  const goldens = shared("reference/goldens.json");
  it.skipIf(goldens === null)("are scikit-learn's for every number of cases in the golden set", () => {
    const { values } = (
      JSON.parse(readFileSync(goldens!, "utf8")) as {
        kfold_seed12345_val_indices: { values: Record<string, number[][]> };
      }
    ).kfold_seed12345_val_indices;
    expect(Object.keys(values).length).toBeGreaterThan(4);
    for (const [n, expected] of Object.entries(values)) {
      const { folds } = kFolds(cases(Number(n)), { count: 5, seed: 12345 });
      expect(folds.map(({ val }) => val.map(Number))).toEqual(expected);
    }
  });

  it("partition the cases in any given order, and keep a case's other fields", () => {
    const given = cases(23).map((entry) => ({ ...entry, image: `${entry.id}.nii.gz` }));
    const result = kFolds(given.toReversed(), { count: 5, seed: 12345 });
    expect(result).toEqual(kFolds(given, { count: 5, seed: 12345 }));
    expect(result.folds.map(({ val }) => val.length)).toEqual([5, 5, 5, 4, 4]);
    expect(result.folds.flatMap(({ val }) => val).sort()).toEqual(given.map(({ id }) => id));
    for (const { id, fold, image } of result.cases) {
      expect(image).toBe(`${id}.nii.gz`);
      expect(result.folds[fold]!.val).toContain(id);
      expect(result.folds[fold]!.train).not.toContain(id);
    }
  });

  it("refuse fewer cases than folds", () => {
    expect(() => kFolds(cases(4), { count: 5, seed: 1 })).toThrow("4 cases cannot be cut into 5 folds");
  });
});
