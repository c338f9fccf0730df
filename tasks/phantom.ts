/** Makes a dataset of synthetic CTs in the folder layout of the real one. */
import { task } from "lq";
import { z } from "zod";
import { writePhantomDataset } from "./study/phantom/write.ts";

const triple = z.tuple([z.number().positive(), z.number().positive(), z.number().positive()]);

export default task({
  params: z.strictObject({
    layout: z.string(),
    phantom: z.strictObject({
      cases: z.int().positive(),
      seed: z.int(),
      size: triple.optional(),
      spacing: triple.optional(),
      noise: z.number().nonnegative().optional(),
      blur: z.number().nonnegative().optional(),
      grow: z.number().optional(),
      wobble: z.number().nonnegative().optional(),
      absent: z.record(z.string(), z.array(z.int())).optional(),
      edits: z
        .record(
          z.string(),
          z.strictObject({ image_seed: z.int().optional(), label_seed: z.int().optional() }),
        )
        .optional(),
    }),
  }),
  async run({ output, params: { layout, phantom }, progress }) {
    const changes = Object.fromEntries(Object.entries(phantom).filter(([, value]) => value !== undefined));
    await writePhantomDataset(layout, changes, output(), (done) => progress(done / phantom.cases));
  },
});
