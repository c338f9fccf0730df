import { afterEach, expect, test } from "vitest";
import { createRandom } from "../../tasks/study/random.ts";
import { resampleImageByCorners, resampleLabelsByCorners } from "../../tasks/study/resample/corners.ts";
import { resampleCrew, type ResampleCrew } from "../../tasks/study/resample/crew.ts";
import { resampleLabelArray } from "../../tasks/study/resample/labels.ts";
import { labelsOfHeads } from "../../tasks/study/resample/labels-of-heads.ts";
import { resampleImageArray, resampleLogits } from "../../tasks/study/resample/nnunet.ts";

/** Large enough for threads: more than two million new voxels. */
const [shape, newShape] = [[31, 80, 90] as const, [79, 161, 166] as const];
const random = createRandom("threads");
const count = 31 * 80 * 90;
const image = Int16Array.from({ length: count }, () => random.int(3000) - 1000);
const labels = Uint8Array.from({ length: count }, (_, i) => (i % 131) % 5);
const heads = [0, 1, 2].map(() => Float32Array.from({ length: count }, () => random.next() - 0.5));

const crews: ResampleCrew[] = [];
const crewOf = (threads: number) => crews[crews.push(resampleCrew(threads)) - 1]!;
afterEach(async () => {
  for (const crew of crews.splice(0)) await crew.close();
});

for (const separate of [null, 0] as const) {
  test(`any number of threads gives the same bytes, separate axis ${separate}`, async () => {
    const make = async (crew?: ResampleCrew) => [
      await resampleImageArray(image, shape, newShape, { separate, result: Float32Array, crew }),
      await resampleLabelArray(labels, shape, newShape, separate, crew),
    ];
    const [alone, together] = [await make(), await make(crewOf(3))];
    for (const [i, array] of together.entries()) expect(same(array, alone[i]!)).toBe(true);
  });

  test(`labels of heads equal those of wholly resampled heads, separate axis ${separate}`, async () => {
    const options = { separate, result: Float32Array };
    const [a, b, c] = await Promise.all(heads.map((head) => resampleLogits(head, shape, newShape, options)));
    const greatest = new Uint8Array(a!.length);
    const regions = new Uint16Array(a!.length);
    for (let i = 0; i < greatest.length; i++) {
      const values = [a![i]!, b![i]!, c![i]!] as const;
      greatest[i] = values[2] > Math.max(values[0], values[1]) ? 2 : values[1] > values[0] ? 1 : 0;
      regions[i] = values[2] > 0 ? 300 : values[1] > 0 ? 7 : values[0] > 0 ? 300 : 0;
    }
    const work = { heads, shape, newShape, separate };
    for (const crew of [undefined, crewOf(2)]) {
      expect(same(await labelsOfHeads({ ...work, choice: "greatest" }, 2, crew), greatest)).toBe(true);
      expect(same(await labelsOfHeads({ ...work, choice: [300, 7, 300] }, 300, crew), regions)).toBe(true);
    }
  });
}

test("the first of equal heads wins; labels below 255 have 8 bits", async () => {
  const work = { shape: [1, 1, 3], newShape: [1, 1, 3], separate: null, choice: "greatest" } as const;
  const two = [Float32Array.of(1, 2, 0), Float32Array.of(1, 3, -1)];
  expect(await labelsOfHeads({ ...work, heads: two }, 1)).toEqual(Uint8Array.of(0, 1, 0));
  const many = Array.from({ length: 300 }, (_, k) => Float32Array.of(k, -k, 0));
  expect(await labelsOfHeads({ ...work, heads: many }, 299)).toEqual(Uint16Array.of(299, 0, 0));
});

test("TotalSegmentator's resampling is the same with threads, there and back", async () => {
  const [z, y, x] = shape;
  const grid = {
    size: [x, y, z],
    spacing: [2, 2, 5],
    affine: [2, 0, 0, 0, 0, 2, 0, 0, 0, 0, 5, 0, 0, 0, 0, 1],
  } as const;
  const make = async (crew?: ResampleCrew) => {
    const finer = await resampleImageByCorners({ ...grid, data: image }, [1.1, 1.05, 2], 3, crew);
    const map = { ...finer, data: Uint8Array.from(finer.data, (v) => v & 7) };
    return [finer.data, (await resampleLabelsByCorners(map, grid, crew)).data] as const;
  };
  const [alone, together] = [await make(), await make(crewOf(2))];
  expect(same(together[0], alone[0])).toBe(true);
  expect(same(together[1], alone[1])).toBe(true);
});

test("an error in a thread reaches the caller, and the threads can be closed", async () => {
  const crew = crewOf(2);
  const blend = { labels: new Uint8Array(1), shape, newShape, pairs: null, result: new Uint8Array(1) };
  const jobs = [0, 1, 2].map((first) => ({ kind: "blend", blend, first, end: first + 1 }));
  await expect(crew.work(jobs as never)).rejects.toThrow("not iterable");
});

function same(a: Uint8Array | Uint16Array | Float32Array | Int32Array, b: typeof a): boolean {
  const bytes = (array: typeof a) => Buffer.from(array.buffer, array.byteOffset, array.byteLength);
  return a.constructor === b.constructor && bytes(a).equals(bytes(b));
}
