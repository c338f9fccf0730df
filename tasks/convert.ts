/** Converts a published model to ONNX. It recognises the model by its files, and reads the pickles without running code. */
import { task } from "lq";
import { z } from "zod";
import { convertModel } from "./study/inference/convert.ts";

export default task({
  params: z.strictObject({
    /** Number of attention heads of SAM's mask decoder. The weights do not contain it. */
    decoder_heads: z.int().positive().default(8),
  }),
  async run({ params, input, output, log }) {
    const model = await convertModel(input("model"), output(), { decoderHeads: params.decoder_heads });
    log(`recognised ${JSON.stringify(model)}`);
  },
});
