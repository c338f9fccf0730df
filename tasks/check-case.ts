/** Reads a case's image and labels once and writes facts, errors and warnings about them. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { checkCase } from "./study/datasets/check-case.ts";
import { reading } from "./study/volume/reading.ts";

export default task({
  params: z.strictObject({ layout: z.string(), reading }),
  async run({ input, output, params: { layout, reading } }) {
    const check = await checkCase(layout, input("image"), input("label"), reading);
    writeFileSync(output(), JSON.stringify(check) + "\n");
  },
});
