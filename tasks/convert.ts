/** Converts a published model to ONNX. It recognises the model by its files, and reads the pickles without running code. */
import { task } from "lq";
import { z } from "zod";
import { convertModel } from "./study/inference/convert.ts";

export default task({
  params: z.strictObject({
    /** Configuration of nnU-Net v2, or a list of them to average. auto: the only one that is there. */
    configuration: z
      .union([z.string(), z.array(z.string()).min(1)], { error: "expected auto, a name or a list of names" })
      .default("auto"),
    /** Task of TotalSegmentator. auto: the only one for which all weights are there. */
    task: z.string().default("auto"),
    /** Checkpoint of each fold: final, best, latest, or a file name. */
    checkpoint: z.string().default("final"),
    /** auto: apply nnU-Net v2's postprocessing.pkl if there is one. */
    postprocessing: z.enum(["none", "auto"]).default("none"),
    /** Order of the splines with which TotalSegmentator resamples images: 1 since version 2.16, 3 before. */
    resampling_order: z.union([z.literal(1), z.literal(3)], { error: "expected 1 or 3" }).default(1),
    /** Number of attention heads of SAM's mask decoder. The weights do not contain it. */
    decoder_heads: z.int().positive().default(8),
  }),
  async run({ params, input, output, log }) {
    const { configuration, task, checkpoint, postprocessing } = params;
    const model = await convertModel(input("model"), output(), {
      ...(configuration !== "auto" && { configuration }),
      ...(task !== "auto" && { task }),
      checkpoint,
      postprocessing,
      resamplingOrder: params.resampling_order,
      decoderHeads: params.decoder_heads,
      log,
    });
    log(`recognised ${JSON.stringify(model)}`);
  },
});
