/** Splits a dataset's cases into training and test at random. All versions of its labels share the split. */
import { task } from "lq";
import { z } from "zod";
import { readCaseList } from "./study/datasets/case-list.ts";
import { writeJson } from "./study/json.ts";
import { randomSplit } from "./study/splits/random-split.ts";

export default task({
  params: z.strictObject({ split: z.strictObject({ seed: z.int(), train: z.number().gt(0).lt(1) }) }),
  run({ input, output, params: { split } }) {
    const ids = readCaseList(input()).cases.map((c) => c.id);
    const { train, test } = randomSplit(ids, split);
    writeJson(output(), { splits: [{ id: "split", train, test }] });
  },
});
