import { expect, test } from "vitest";
import { createRandom } from "../../tasks/study/random.ts";
import { augment, resizePatch, zoomedSize } from "../../tasks/study/training/augment.ts";
import { locate, memoryCase } from "../../tasks/study/training/cases.ts";
import { patchSource } from "../../tasks/study/training/patches.ts";
import type { Size } from "../../tasks/study/volume/volume.ts";

/** A case with intensity = 1 + voxel index and one voxel of label 3. */
function numbered(size: Size, id = "case") {
  const count = size[0] * size[1] * size[2];
  const data = Float32Array.from({ length: count }, (_, i) => i + 1);
  const labels = new Uint8Array(count);
  labels[count - 1] = 3;
  const rest = { size, spacing: [1, 1, 1] as const, affine: [] };
  return memoryCase(id, { data, ...rest }, { data: labels, ...rest });
}

test("a box is read with x fastest", () => {
  const source = numbered([4, 3, 2]);
  expect(source.image({ start: [1, 1, 0], size: [2, 2, 2] })).toEqual(
    Float32Array.of(6, 7, 10, 11, 18, 19, 22, 23),
  );
  expect(source.locations).toEqual(new Map([[3, Uint32Array.of(23)]]));
});

test("a batch depends on seed and step only; every pass contains each case once", async () => {
  const cases = [1, 2, 3, 4].map((n) => numbered([n, 1, 1], String(n)));
  const options = { batch: 1, patch: [1, 1, 8] as const, seed: 9, foreground: 0 };
  const source = patchSource(cases, options);
  const present = async (step: number) => (await source(step)).images.filter((value) => value > 0).length;
  const seen: number[] = [];
  for (let step = 0; step < 40; step++) seen.push(await present(step));
  for (let run = 0; run < 40; run += 4) expect(seen.slice(run, run + 4).sort()).toEqual([1, 2, 3, 4]);
  expect(
    seen.slice(0, 4).join() === seen.slice(4, 8).join() &&
      seen.slice(4, 8).join() === seen.slice(8, 12).join(),
  ).toBe(false);
  expect(await patchSource(cases, options)(7)).toEqual(await source(7));
});

test("foreground patches contain a label; other patches lie anywhere inside", async () => {
  const source = (foreground: number) =>
    patchSource([numbered([20, 20, 4])], { batch: 50, patch: [2, 4, 4], seed: 1, foreground });
  const hit = async (foreground: number) =>
    (await source(foreground)(0)).labels.filter((label) => label === 3).length;
  expect(await hit(1)).toBe(50);
  expect(await hit(0)).toBeLessThan(5);
  expect((await source(0)(0)).images.every((value) => value > 0)).toBe(true);
});

test("a case that is smaller than the patch lies in the middle of zeros", async () => {
  const source = patchSource([numbered([2, 1, 1])], { batch: 1, patch: [1, 3, 4], seed: 1 });
  expect([...(await source(0)).images]).toEqual([0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0]);
  expect([...(await source(0)).labels]).toEqual([0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0]);
});

test("resizing is linear for the image and nearest for the labels, channel by channel", () => {
  const patch = { image: Float32Array.of(0, 2, 10, 20), labels: Uint8Array.of(1, 7) };
  const { image, labels } = resizePatch(patch, [2, 1, 1], [4, 1, 1]);
  expect([...image]).toEqual([0, 0.5, 1.5, 2, 10, 12.5, 17.5, 20]);
  expect([...labels]).toEqual([1, 1, 7, 7]);
  expect(zoomedSize([8, 8, 1], { scale: [2, 2] }, createRandom(1))).toEqual([4, 4, 1]);
});

test("flips move image and labels together; intensities change in the first channel only", () => {
  const size: Size = [2, 2, 1];
  const fresh = () => ({ image: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), labels: Uint8Array.of(1, 2, 3, 4) });
  const results = new Set<string>();
  for (let seed = 0; seed < 20; seed++) {
    const patch = fresh();
    augment(patch, size, { flip: ["x", "y"] }, createRandom(seed));
    expect([...patch.image.subarray(0, 4)]).toEqual([...patch.labels]);
    expect([...patch.image.subarray(4)]).toEqual([...patch.labels].map((label) => label + 4));
    results.add(patch.labels.join());
  }
  expect([...results].sort()).toEqual(["1,2,3,4", "2,1,4,3", "3,4,1,2", "4,3,2,1"]);

  const patch = fresh();
  augment(patch, size, { contrast: 0.5, brightness: 1, noise: 0.1 }, createRandom(1));
  expect([...patch.image.subarray(0, 4)]).not.toEqual([1, 2, 3, 4]);
  expect([...patch.image.subarray(4)]).toEqual([5, 6, 7, 8]);
});

test("image and labels of different size are refused", () => {
  const rest = { spacing: [1, 1, 1] as const, affine: [] };
  expect(() =>
    memoryCase(
      "case_7",
      { data: new Float32Array(2), size: [2, 1, 1], ...rest },
      { data: new Uint8Array(1), size: [1, 1, 1], ...rest },
    ),
  ).toThrow("case_7: image (2×1×1) and labels (1×1×1) differ in size");
});

test("a foreground patch has its labelled voxel at its centre, as far as the case has room", async () => {
  const size = [20, 18, 16] as const;
  const labels = new Uint8Array(20 * 18 * 16);
  labels[9 + 20 * (8 + 18 * 7)] = 1;
  const rest = { size, spacing: [1, 1, 1] as const, affine: [] };
  const source = memoryCase(
    "one",
    { data: new Float32Array(labels.length), ...rest },
    { data: labels, ...rest },
  );
  const next = patchSource([source], { batch: 1, patch: [4, 6, 8], seed: 1, foreground: 1 });
  for (const step of [0, 1]) expect((await next(step)).labels.indexOf(1)).toBe(4 + 8 * (3 + 6 * 2));
});

test("contrast scales the patch, noise has a deviation between none and the greatest", () => {
  const count = 1000;
  const size = [10, 10, 10] as const;
  const changed = (options: object, seed: number) => {
    const patch = { image: new Float32Array(count).fill(1), labels: new Uint8Array(count) };
    augment(patch, size, options, createRandom(seed));
    return patch.image;
  };
  const seeds = Array.from({ length: 100 }, (_, seed) => seed);
  const factors = seeds.map((seed) => changed({ contrast: 0.25 }, seed)[0]!);
  expect(Math.min(...factors)).toBeGreaterThanOrEqual(0.75);
  expect(Math.max(...factors)).toBeLessThanOrEqual(1.25);
  expect(Math.max(...factors) - Math.min(...factors)).toBeGreaterThan(0.4);
  const deviations = seeds.map((seed) => {
    const image = changed({ noise: 0.2 }, seed);
    const mean = image.reduce((sum, value) => sum + value, 0) / count;
    return Math.sqrt(image.reduce((sum, value) => sum + (value - mean) ** 2, 0) / count);
  });
  expect(Math.min(...deviations)).toBeLessThan(0.02);
  expect(Math.max(...deviations)).toBeGreaterThan(0.18);
  expect(Math.max(...deviations)).toBeLessThan(0.22);
});

test("of a label with many voxels, about a thousand are remembered, spread evenly", () => {
  const labels = new Uint8Array(5000).fill(2);
  expect([...locate(labels, "case").get(2)!]).toEqual(Array.from({ length: 1000 }, (_, i) => 5 * i));
  expect(locate(labels.subarray(0, 900), "case").get(2)).toHaveLength(900);
});
