/** Lists the cases in a folder of images, for rules to fan out over: { "cases": [{ "id", "images": [NAME, …] }] }. */
import { task } from "lq";
import { imageCases } from "./study/inference/cases.ts";
import { writeJson } from "./study/json.ts";

export default task({
  run({ names, output }) {
    writeJson(output(), { cases: imageCases(names("images")) });
  },
});
