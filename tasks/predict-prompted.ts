/** Predicts the pseudo-labels of one case with the prompted 2D network: one box for each original label in each axial slice. */
import { task } from "lq";
import { z } from "zod";
import { volumeOf } from "./study/datasets/input-files.ts";
import { createRandom } from "./study/random.ts";
import { resizeLogits } from "./study/resample/resize-logits.ts";
import { prepareImage, prepareLabels } from "./study/resample/prepare.ts";
import { checkBackend, inferenceBackend, normalisation } from "./study/params/settings.ts";
import { boxesOf, promptChannels } from "./study/medsam/slices.ts";
import { openNetwork } from "./study/inference/trained-network.ts";
import { writeNifti } from "./study/volume/nifti.ts";
import { readImage, reading, readLabelMap, warnings } from "./study/volume/reading.ts";
import { fromCanonical, toCanonical } from "./study/volume/orient.ts";

export default task({
  params: z
    .strictObject({
      /** Each box grows by a random number of pixels from 0 to `jitter`; `seed` fixes the random numbers. */
      boxes: z.strictObject({ jitter: z.int().nonnegative(), seed: z.int() }),
      reading,
      ...inferenceBackend,
    })
    .superRefine(checkBackend),
  async run({ params: { boxes, reading, ...backend }, input, inputs, output, cpus, devices, signal, log }) {
    const network = await openNetwork(input("model"), {
      ...backend,
      device: "auto",
      devices,
      threads: cpus,
      log,
    });
    const { spacing, normalisation: settings } = network.checkpoint;
    if (spacing === null) throw new Error(`${input("model")} has no spacing`);
    const image = await readImage(volumeOf({ inputs }, "image"), reading, warnings(log));
    const prepared = await prepareImage(image, spacing, normalisation.parse(settings));
    const prompts = await prepareLabels(
      await readLabelMap(input("prompts"), reading, warnings(log)),
      spacing,
    );
    const [nx, ny, nz] = prepared.size;
    const random = createRandom(`boxes ${boxes.seed}`);
    const inside = new Map<number, Float32Array>();
    for (let z = 0; z < nz; z++) {
      for (const [label, box] of boxesOf(prompts, z)) {
        const channels = promptChannels(prepared, z, box, random.fork(`${z} ${label}`).int(boxes.jitter + 1));
        const probability = await network.foreground(channels, [1, ny, nx], signal);
        if (!inside.has(label)) inside.set(label, new Float32Array(nx * ny * nz));
        inside.get(label)?.set(probability, nx * ny * z);
      }
    }
    const canonical = toCanonical(image);
    const best = new Float32Array(canonical.data.length).fill(0.5);
    const data = new Uint8Array(canonical.data.length);
    for (const [label, probability] of [...inside].sort(([a], [b]) => a - b)) {
      const resized = await resizeLogits(probability, prepared.size, canonical.size);
      resized.forEach((p, i) => {
        if (p <= (best[i] ?? 0)) return; // where organs overlap, the more probable one wins
        best[i] = p;
        data[i] = label;
      });
    }
    await writeNifti(output(), fromCanonical({ ...canonical, data }, image));
  },
});
