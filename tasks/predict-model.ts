/** One case's labels by a published model that tasks/convert.ts has converted. */
import { task } from "lq";
import { z } from "zod";
import { predictCase } from "./study/inference/predict.ts";
import { readModel } from "./study/inference/predict-nnunet.ts";
import { datasetValues } from "./study/inference/remap.ts";
import { readLabelTable, relabelled } from "./study/labels/labels.ts";
import { CLASS_LISTS } from "./study/params/settings.ts";
import { writeNifti } from "./study/volume/nifti.ts";

export default task({
  params: z.strictObject({
    /** How far windows are apart, as a share of the patch; auto: 0.5, TotalSegmentator at 1.5 mm 0.8. */
    step: z.union([z.literal("auto"), z.number().gt(0).max(1)]).default("auto"),
    /** Test-time mirroring. auto: as the checkpoint allows (nnU-Net v1: on all axes). */
    mirror: z.enum(["auto", "on", "off"]).default("auto"),
    /** Networks of a cross-validation whose mean is taken, by name; auto: all that there are. */
    folds: z.union([z.literal("auto"), z.array(z.string()).min(1)]).default("auto"),
    device: z.enum(["cpu", "cuda", "auto"]).default("cpu"),
    /** Turns the model's classes ("all": the dataset's own) into the labels of the table `organs`; without it they stay. */
    classes: z.enum(["all", ...CLASS_LISTS]).optional(),
  }),
  async run({ params, input, inputs, output, cpus, devices, signal, progress, log }) {
    const { step, mirror, folds, device, classes } = params;
    const values =
      classes && datasetValues(await readModel(input("model")), readLabelTable(input("organs")), classes);
    const labels = await predictCase(input("model"), inputs("images"), {
      ...(step !== "auto" && { step }),
      mirror,
      ...(folds !== "auto" && { folds }),
      device,
      devices,
      threads: cpus,
      signal,
      progress,
      log,
    });
    await writeNifti(output(), values ? relabelled(labels, values) : labels);
  },
});
