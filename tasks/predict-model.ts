/** Predicts the labels of one case with a published model that tasks/convert.ts has converted. */
import { task } from "lq";
import { z } from "zod";
import { predictCase } from "./study/inference/predict.ts";
import { readModel } from "./study/inference/predict-nnunet.ts";
import { datasetValues } from "./study/inference/remap.ts";
import { readLabelTable, relabelled } from "./study/labels/labels.ts";
import { checkBackend, CLASS_LISTS, inferenceBackend } from "./study/params/settings.ts";
import { writeNifti } from "./study/volume/nifti.ts";
import { reading } from "./study/volume/reading.ts";

export default task({
  params: z
    .strictObject({
      /** Distance between windows as a fraction of the patch. auto: 0.5; TotalSegmentator at 1.5 mm: 0.8. */
      step: z
        .union([z.literal("auto"), z.number().gt(0).max(1)], {
          error: "expected auto, or a number above 0 and at most 1",
        })
        .default("auto"),
      /** Test-time mirroring. auto: along the axes that the checkpoint allows (nnU-Net v1: all axes). */
      mirror: z.enum(["auto", "on", "off"]).default("auto"),
      /** Names of the cross-validation folds to average; auto: all folds of the model. */
      folds: z
        .union([z.literal("auto"), z.literal("all"), z.array(z.union([z.string(), z.int()])).min(1)], {
          error:
            "expected auto, all (the network that was trained on all cases), or a list of folds, as [0, 1]",
        })
        .default("auto"),
      reading,
      device: z.enum(["cpu", "cuda", "webgpu", "auto"]).default("cpu"),
      /**
       * Class list of the model ("all": the dataset's own labels). The prediction then has the label values of the table
       * `organs`. Without this param it keeps the model's values.
       */
      classes: z.enum(["all", ...CLASS_LISTS]).optional(),
      ...inferenceBackend,
    })
    .superRefine(checkBackend),
  async run({ params, input, inputs, output, cpus, devices, signal, progress, log }) {
    const { step, folds, classes, ...rest } = params;
    const values =
      classes && datasetValues(await readModel(input("model")), readLabelTable(input("organs")), classes);
    const labels = await predictCase(input("model"), inputs("images"), {
      ...rest,
      ...(step !== "auto" && { step }),
      ...(folds !== "auto" && { folds: [folds].flat().map(String) }),
      devices,
      threads: cpus,
      signal,
      progress,
      log,
    });
    await writeNifti(output(), values ? relabelled(labels, values) : labels);
  },
});
