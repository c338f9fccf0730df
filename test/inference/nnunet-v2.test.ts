import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Shape } from "../../tasks/study/arrays.ts";
import { convertModel } from "../../tasks/study/inference/convert.ts";
import { exportLabels } from "../../tasks/study/inference/export.ts";
import type { NetworkModel } from "../../tasks/study/inference/model.ts";
import { predictPreprocessed, readModel } from "../../tasks/study/inference/predict-nnunet.ts";
import { preprocess, type Preprocessed } from "../../tasks/study/inference/preprocess.ts";
import { type Box, cropArray } from "../../tasks/study/resample/crop.ts";
import { readLabels, readNifti } from "../../tasks/study/volume/nifti.ts";
import { fromCanonical, toCanonical } from "../../tasks/study/volume/orient.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { backends } from "../helpers/torch.ts";
import { differing, greatestDifference, split } from "./golden-network.ts";
import { windowDifference } from "./golden-window.ts";
import { testFolder } from "../helpers/folder.ts";

interface Case {
  readonly files: string[];
  readonly preprocessed_shape: number[];
  readonly bbox_used_for_cropping: [number, number][];
  readonly window_start: number[];
  readonly steps: [number[], number[], number[]];
}

interface Expected {
  readonly step: number;
  readonly patch: Shape;
  readonly cases: Record<string, Case>;
}

/** Ten times the measured differences. */
const limits = { preprocessed: 9.5e-6, window: 3.8e-5, merged: 1.2e-4 };

for (const name of ["m1", "m2", "m3", "m4"]) {
  const folder = shared(`golden/04_nnunet_v2/${name}`);
  test.skipIf(!folder)(`${name}: every stage of nnU-Net v2 and the labels`, async () => {
    const expected = JSON.parse(readFileSync(`${folder}/expected.json`, "utf8")) as Expected;
    const out = testFolder();
    // A parent folder of the model works too.
    await convertModel(folder!, out);
    const model = (await readModel(out)) as NetworkModel;
    for (const [id, facts] of Object.entries(expected.cases)) {
      const golden = await readNpz(`${folder}/expected/${id}.npz`);
      const volumes = await Promise.all(facts.files.map((file) => readNifti(`${folder}/${file}`)));
      const turned = model.reorient ? volumes.map((v) => toCanonical(v)) : volumes;
      const input = await preprocess(model, turned);
      expect([model.channels, ...input.shape]).toEqual(facts.preprocessed_shape);
      expect(input.box).toEqual({
        start: facts.bbox_used_for_cropping.map(([start]) => start),
        end: facts.bbox_used_for_cropping.map(([, end]) => end),
      });
      const preprocessed = greatestDifference(input.data, golden.get("preprocessed")!.data);
      const recorded = golden.get("merged_logits_float32")!;
      const exact = split(recorded.data as Float32Array, recorded.shape[0]!);

      // All 96 windows of m1 with 8 mirrorings of 2 networks would take minutes.
      const part = name === "m1" ? firstWindows(input, facts.steps, expected.patch) : whole(input);
      for (const backend of backends) {
        const settings = { step: expected.step, threads: 2, backend };
        const window = await windowDifference(out, model, input, facts.window_start, golden, settings);
        const logits = await predictPreprocessed(out, model, part.input, settings);
        const merged = Math.max(
          ...logits.map((head, k) =>
            greatestDifference(
              cropArray(head, part.input.shape, part.region),
              cropArray(exact[k]!, input.shape, part.region),
            ),
          ),
        );
        console.info(
          `${name}/${id} on ${backend}: window ${window.toExponential(1)}, merged logits ${merged.toExponential(1)}`,
        );
        expect(window).toBeLessThan(limits.window);
        expect(merged).toBeLessThan(limits.merged);
      }

      const canonical = await exportLabels(model, exact, input, turned[0]!);
      const labels = model.reorient ? fromCanonical(canonical, volumes[0]!) : canonical;
      const reference = await readLabels(`${folder}/expected/${id}_seg_float32.nii.gz`);
      const wrong = differing(labels.data, reference.data) * reference.data.length;
      console.info(
        `${name}/${id}: preprocessed ${preprocessed.toExponential(1)}, ${wrong} of ${reference.data.length} voxels differ`,
      );
      expect(preprocessed).toBeLessThan(limits.preprocessed);
      expect(wrong).toBe(0);
      expect(labels.size).toEqual(reference.size);
      expect(labels.data).toBeInstanceOf(Uint8Array);
      labels.affine.forEach((v, at) => expect(v).toBeCloseTo(reference.affine[at]!, 4));
    }
  });
}

type Input = Pick<Preprocessed, "data" | "shape">;

/** Part of an image to predict, and the region in which its logits are those of the whole image. */
interface Part {
  readonly input: Input;
  readonly region: Box;
}

function whole(input: Input): Part {
  return { input, region: { start: [0, 0, 0], end: input.shape } };
}

/** The part under the first two windows of each axis; the third windows do not reach its region. One channel. */
function firstWindows({ data, shape }: Input, steps: Case["steps"], patch: Shape): Part {
  const along = (f: (axis: 0 | 1 | 2) => number): Shape => [f(0), f(1), f(2)];
  const end = along((axis) => steps[axis][1]! + patch[axis]);
  const region = along((axis) => Math.min(end[axis], steps[axis][2] ?? Infinity));
  const start = [0, 0, 0] as const;
  return {
    input: { data: cropArray(data, shape, { start, end }), shape: end },
    region: { start, end: region },
  };
}
