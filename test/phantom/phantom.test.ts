import { describe, expect, it } from "vitest";
import { createPhantom, phantomLabels } from "../../tasks/study/phantom/phantom.ts";
import { phantomLayouts, phantomSpec, type PhantomLayout } from "../../tasks/study/phantom/spec.ts";

function phantom(layout: PhantomLayout, id = "0001", ordinal = 1, changes = {}) {
  return createPhantom(layout, phantomSpec(layout, changes), phantomLabels(layout), id, ordinal);
}

function counts(labels: Uint8Array): Map<number, number> {
  const found = new Map<number, number>();
  for (const value of labels) found.set(value, (found.get(value) ?? 0) + 1);
  return found;
}

describe("phantoms", () => {
  it.each(phantomLayouts.filter((layout) => layout !== "nnunet-raw"))(
    "of %s hold every organ of the dataset, large enough to learn, and no other label",
    (layout) => {
      const spec = phantomSpec(layout);
      const table = phantomLabels(layout);
      for (let ordinal = 1; ordinal <= 4; ordinal++) {
        const { labels, image } = phantom(layout, `case${ordinal}`, ordinal, { absent: {} });
        const found = counts(labels.data);
        expect(image.data).toHaveLength(labels.data.length);
        expect([...found.keys()].filter((value) => value > 0 && !table.has(value))).toEqual([]);
        for (const value of table.keys()) expect(found.get(value) ?? 0).toBeGreaterThanOrEqual(20);
        expect(Math.abs(image.size[2] - spec.size[2])).toBeLessThanOrEqual(1);
      }
    },
  );

  it("of the corpus have every class of their label table in their two fields of view", () => {
    const all = new Map<number, number>();
    for (const ordinal of [1, 2]) {
      for (const [value, n] of counts(phantom("nnunet-raw", `s${ordinal}`, ordinal).labels.data)) {
        all.set(value, Math.max(n, all.get(value) ?? 0));
      }
    }
    for (const value of phantomLabels("nnunet-raw").keys()) expect(all.get(value)).toBeGreaterThan(25);
  });

  it("lie in world space like a patient, in every stored orientation", () => {
    // Liver to the right of and above the left kidney, aorta behind the stomach.
    for (const layout of ["btcv", "word", "flare22"] as const) {
      const { labels } = phantom(layout);
      const table = phantomLabels(layout);
      const centre = (organ: string): number[] => {
        const value = [...table].find(([, label]) => label.organ === organ)![0];
        const sum = [0, 0, 0, 0];
        labels.data.forEach((label, index) => {
          if (label !== value) return;
          const voxel = [
            index % labels.size[0],
            Math.floor(index / labels.size[0]) % labels.size[1],
            Math.floor(index / (labels.size[0] * labels.size[1])),
          ];
          for (const axis of [0, 1, 2]) {
            sum[axis]! += labels.affine[5 * axis]! * voxel[axis]! + labels.affine[4 * axis + 3]!;
          }
          sum[3]!++;
        });
        return sum.slice(0, 3).map((value) => value / sum[3]!);
      };
      const [liver, kidney, stomach, esophagus] = [
        centre("liver"),
        centre("kidney_left"),
        centre("stomach"),
        centre("esophagus"),
      ];
      expect(liver[0]! - kidney[0]!).toBeGreaterThan(8);
      expect(liver[2]! - kidney[2]!).toBeGreaterThan(5);
      expect(stomach[1]! - kidney[1]!).toBeGreaterThan(5);
      expect(esophagus[2]!).toBeGreaterThan(kidney[2]!);
    }
  });

  it("have organs near their Hounsfield units, with noise", () => {
    const { image, labels } = phantom("btcv");
    const values = (of: number): number[] => [...image.data].filter((_, i) => labels.data[i] === of);
    const mean = (list: number[]): number => list.reduce((sum, hu) => sum + hu, 0) / list.length;
    const deviation = (list: number[]): number => Math.sqrt(mean(list.map((hu) => (hu - mean(list)) ** 2)));
    expect(mean(values(6))).toBeGreaterThan(80); // liver
    expect(mean(values(6))).toBeLessThan(125);
    expect(mean(values(2))).toBeGreaterThan(mean(values(6)) + 25); // kidney
    expect(deviation(values(6))).toBeGreaterThan(10);
    expect(Math.min(...image.data)).toBeGreaterThanOrEqual(-1024);
  });

  it("do not have the organs that the spec says are absent, in image and label", () => {
    const [whole, lacking] = [{}, { gallbladder: [1] }].map((absent) =>
      phantom("btcv", "0001", 1, { absent }),
    );
    expect(counts(whole!.labels.data).get(4)).toBeGreaterThan(20);
    expect(counts(lacking!.labels.data).has(4)).toBe(false);
    const changed = [...whole!.labels.data].flatMap((value, i) => (value === 4 ? [i] : []));
    const differ = changed.filter((i) => whole!.image.data[i] !== lacking!.image.data[i]);
    expect(differ.length).toBeGreaterThan(changed.length / 2);
  });

  it("repeat exactly, and differ by case, dataset and seed", () => {
    const { image, labels } = phantom("amos", "a");
    expect(phantom("amos", "a")).toEqual({ image, labels });
    for (const other of [phantom("amos", "b"), phantom("amos", "a", 1, { seed: 77 })]) {
      expect(other.labels.data).not.toEqual(labels.data);
      expect(other.image.data).not.toEqual(image.data);
    }
  });

  it("can have only one image or only one label changed", () => {
    const before = phantom("segthor", "a");
    const image = phantom("segthor", "a", 1, { edits: { a: { image_seed: 1 } } });
    expect(image.labels).toEqual(before.labels);
    expect(image.image.data).not.toEqual(before.image.data);
    const label = phantom("segthor", "a", 1, { edits: { a: { label_seed: 1 } } });
    expect(label.image).toEqual(before.image);
    expect(label.labels.data).not.toEqual(before.labels.data);
  });

  it("have labels of only the femoral heads in WORD, of the whole femur in the corpus", () => {
    const word = counts(phantom("word", "x").labels.data);
    const corpus = counts(phantom("nnunet-raw", "x").labels.data);
    expect(corpus.get(75)).toBeGreaterThan(1.2 * word.get(15)!);
  });
});
