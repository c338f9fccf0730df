import { describe, expect, it } from "vitest";
import { randomSplit } from "../../tasks/study/splits/random-split.ts";

const ids = Array.from({ length: 30 }, (_, i) => `case_${String(i).padStart(2, "0")}`);

describe("random split", () => {
  it("puts the share into training and the others into the test, both sorted", () => {
    const { train, test } = randomSplit(ids, { seed: 1, train: 0.8 });
    expect(train).toHaveLength(24);
    expect([...train, ...test].sort()).toEqual(ids);
    expect(train).toEqual([...train].sort());
    expect(test).toEqual([...test].sort());
  });

  it("depends on the seed, not on the given order", () => {
    const split = randomSplit(ids, { seed: 1, train: 0.8 });
    expect(randomSplit(ids.toReversed(), { seed: 1, train: 0.8 })).toEqual(split);
    expect(randomSplit(ids, { seed: 2, train: 0.8 }).test).not.toEqual(split.test);
  });

  it("leaves at least one case on each side", () => {
    expect(randomSplit(["a", "b"], { seed: 1, train: 0.99 }).test).toHaveLength(1);
    expect(randomSplit(["a", "b"], { seed: 1, train: 0.01 }).train).toHaveLength(1);
    expect(() => randomSplit(["a"], { seed: 1, train: 0.8 })).toThrow("two cases");
  });
});
