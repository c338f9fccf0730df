/** A published model as it is distributed, recognised by its files, to ONNX. The weights' pickles run no code. */
import { task } from "lq";
import { z } from "zod";
import { convertModel } from "./study/inference/convert.ts";

export default task({
  params: z.strictObject({
    /** Attention heads of SAM's mask decoder, which its weights do not tell. */
    decoder_heads: z.int().positive().default(8),
  }),
  async run({ params, input, output, log }) {
    const model = await convertModel(input("model"), output(), { decoderHeads: params.decoder_heads });
    log(`recognised ${JSON.stringify(model)}`);
  },
});
