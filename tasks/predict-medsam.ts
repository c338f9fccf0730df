/** Predicts the labels of one case with a converted SAM or MedSAM. Its prompts are boxes around reference labels. */
import { task } from "lq";
import { z } from "zod";
import { volumeOf } from "./study/datasets/input-files.ts";
import { boxSettings } from "./study/medsam/boxes.ts";
import { predictMedSam } from "./study/medsam/predict.ts";
import { checkBackend, inferenceBackend, interval } from "./study/params/settings.ts";
import { writeNifti } from "./study/volume/nifti.ts";
import { readImage, reading, readLabelMap, warnings } from "./study/volume/reading.ts";

export default task({
  params: z
    .strictObject({
      /** Intensity window in Hounsfield units; values outside are clipped. */
      window: interval.default([-160, 240]),
      boxes: boxSettings.prefault({}),
      /** Which label a pixel gets where masks overlap: the higher value ("later") or the higher probability ("likelier"). */
      overlap: z.enum(["later", "likelier"]).default("later"),
      reading,
      device: z.enum(["cpu", "cuda", "webgpu", "auto"]).default("cpu"),
      ...inferenceBackend,
    })
    .superRefine(checkBackend),
  async run({ params, input, inputs, output, cpus, devices, signal, progress, log }) {
    const { reading, ...own } = params;
    const image = await readImage(volumeOf({ inputs }, "image"), reading, warnings(log), { float32: true });
    const prompts = await readLabelMap(input("reference"), reading, warnings(log));
    const tolerance = reading.grid_tolerance;
    const settings = { ...own, tolerance, devices, threads: cpus, signal, progress, log };
    await writeNifti(output(), await predictMedSam(input("model"), image, prompts, settings));
  },
});
