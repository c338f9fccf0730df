/** Lists the cases in a folder of images, for rules to fan out over: { "cases": [{ "id", "images": [NAME, …] }] }. */
import { task } from "lq";
import { imageCases, isPassedOver } from "./study/inference/cases.ts";
import { writeJson } from "./study/json.ts";

export default task({
  run({ names, output, log }) {
    const passedOver = names("images").filter((name) => isPassedOver(name) && !/(^|\/)\./.test(name));
    if (passedOver.length > 0)
      log(
        `warning: passed over ${passedOver.length} files that are no .nii or .nii.gz, such as ${passedOver[0]}`,
      );
    writeJson(output(), { cases: imageCases(names("images")) });
  },
});
