/** The cases in a folder of images, for rules to fan out over: { "cases": [{ "id", "images": [NAME, …] }] }. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { imageCases } from "./lib/inference/cases.ts";

export default task({
  run({ names, output }) {
    writeFileSync(output(), JSON.stringify({ cases: imageCases(names("images")) }, null, 1) + "\n");
  },
});
