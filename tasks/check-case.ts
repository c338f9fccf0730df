/** Reads a case's image and labels once and writes facts, errors and warnings about them. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { checkCase } from "./study/datasets/check-case.ts";

export default task({
  params: z.strictObject({ layout: z.string() }),
  async run({ input, output, params: { layout } }) {
    writeFileSync(output(), JSON.stringify(await checkCase(layout, input("image"), input("label"))) + "\n");
  },
});
