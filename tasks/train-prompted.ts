/** Trains a 2D network whose input is a slice and a box, and whose output marks the object in the box. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { encodeCheckpoint } from "./study/nn/checkpoint.ts";
import { caseOf, pathsOf } from "./study/datasets/input-files.ts";
import { network, normalisation, readStatistics, training, triple } from "./study/params/settings.ts";
import { boxesOf, promptChannels } from "./study/medsam/slices.ts";
import { trainOn } from "./study/training/train-on.ts";
import { memoryCase, type TrainingCase } from "./study/training/cases.ts";
import { requireSameGrid } from "./study/volume/geometry.ts";
import { readLabels, readNifti } from "./study/volume/nifti.ts";
import { reading } from "./study/volume/reading.ts";

export default task({
  params: z.strictObject({ network, patch: triple, training, normalisation, reading }),
  async run(context) {
    const { params, input, output } = context;
    const { spacing } = readStatistics(input("stats"));
    const labels = new Map(pathsOf(context, "labels").map((path) => [caseOf(path), path]));
    const cases: TrainingCase[] = [];
    for (const path of pathsOf(context, "images"))
      cases.push(...(await prompts(path, labels.get(caseOf(path)) ?? "", params.reading.grid_tolerance)));
    const spec = { inChannels: 2, outChannels: 2, transposedBias: false, ...params.network };
    const result = await trainOn(cases, spec, context);
    const { patch, normalisation } = params;
    const { seed } = params.training;
    const head = { spec, seed, patch, spacing, normalisation, labels: { "inside the box": 1 } };
    writeFileSync(output(), encodeCheckpoint({ ...head, ...result }));
  },
});

/** Makes one training case for each label in each slice. */
async function prompts(imagePath: string, labelPath: string, tolerance: number): Promise<TrainingCase[]> {
  const image = await readNifti(imagePath);
  const labels = await readLabels(labelPath);
  requireSameGrid({ ...image, name: imagePath }, { ...labels, name: labelPath }, tolerance);
  const [nx, ny, nz] = image.size;
  const cases: TrainingCase[] = [];
  for (let z = 0; z < nz; z++) {
    for (const [label, box] of boxesOf(labels, z)) {
      const slice = labels.data.subarray(nx * ny * z, nx * ny * (z + 1));
      const grid = { size: [nx, ny, 1] as const, spacing: image.spacing, affine: image.affine };
      const target = memoryCase(
        `${caseOf(imagePath)} slice ${z} label ${label}`,
        { ...grid, data: new Float32Array(nx * ny) },
        { ...grid, data: Uint8Array.from(slice, (v) => Number(v === label)) },
      );
      const channels = promptChannels(image, z, box, 0);
      const plane = (c: number) => ({ ...grid, data: channels.subarray(c * nx * ny, (c + 1) * nx * ny) });
      const readers = [0, 1].map((c) =>
        memoryCase(target.id, plane(c), { ...grid, data: new Uint8Array(nx * ny) }),
      );
      cases.push({
        ...target,
        async image(window) {
          const parts = [];
          for (const reader of readers) parts.push(await reader.image(window));
          return Float32Array.from(parts.flatMap((part) => [...part]));
        },
      });
    }
  }
  return cases;
}
