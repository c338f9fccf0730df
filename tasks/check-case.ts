/** Reads a case's image and labels once and writes facts, errors and warnings about them. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { checkCase } from "./study/datasets/check-case.ts";
import { volumeOf } from "./study/datasets/input-files.ts";
import { IGNORE, ignoredValue, readLabelTable } from "./study/labels/labels.ts";
import { reading } from "./study/volume/reading.ts";

export default task({
  params: z.strictObject({
    layout: z.string(),
    /** Label name → label value, instead of the label table given as input "organs". */
    label_values: z.record(z.string(), z.int()).optional(),
    reading,
  }),
  async run({ input, inputs, output, params: { layout, label_values, reading } }) {
    const ignore = label_values
      ? (label_values[IGNORE] ?? null)
      : ignoredValue(readLabelTable(input("organs")));
    const [image, label] = [volumeOf({ inputs }, "image"), volumeOf({ inputs }, "label")];
    const check = await checkCase(layout, image, label, { reading, ignore });
    writeFileSync(output(), JSON.stringify(check) + "\n");
  },
});
