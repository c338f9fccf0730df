import { expect, test } from "vitest";
import { createRandom } from "../../tasks/study/random.ts";

test("the same seed gives the same numbers and another seed gives other numbers", () => {
  const draws = (seed: number | string) => {
    const random = createRandom(seed);
    return () => random.next();
  };
  const draw = (seed: number | string) => Array.from({ length: 5 }, draws(seed));
  expect(draw(7)).toEqual(draw("7"));
  expect(draw(7)).not.toEqual(draw(8));
});

test("a fork depends on the seed and the label, not on earlier draws", () => {
  const used = createRandom("study");
  used.next();
  used.normal();
  expect(used.fork("step 3").next()).toBe(createRandom("study").fork("step 3").next());
  expect(used.fork("step 3").next()).not.toBe(used.fork("step 4").next());
});

test("uniform, integer and normal draws have the right mean and variance", () => {
  const random = createRandom(1);
  const n = 100_000;
  const moments = (draw: () => number) => {
    const values = Array.from({ length: n }, draw);
    const mean = values.reduce((a, b) => a + b) / n;
    return [mean, values.reduce((a, b) => a + (b - mean) ** 2, 0) / n] as const;
  };
  const [uniformMean, uniformVariance] = moments(() => random.next());
  expect(uniformMean).toBeCloseTo(0.5, 2);
  expect(uniformVariance).toBeCloseTo(1 / 12, 2);
  const [normalMean, normalVariance] = moments(() => random.normal());
  expect(Math.abs(normalMean)).toBeLessThan(0.02);
  expect(Math.abs(normalVariance - 1)).toBeLessThan(0.02);
  const counts = [0, 0, 0];
  for (let i = 0; i < n; i++) counts[random.int(3)]!++;
  for (const count of counts) expect(Math.abs(count / n - 1 / 3)).toBeLessThan(0.01);
});

test("int refuses an empty range and a range that is too large", () => {
  expect(() => createRandom(1).int(0)).toThrow(RangeError);
  expect(() => createRandom(1).int(2 ** 33)).toThrow(RangeError);
});
