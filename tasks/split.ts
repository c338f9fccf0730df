/** Splits a dataset's cases at random, the same way for every version of its labels. */
import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { caseList } from "./lib/datasets/case-list.ts";
import { randomSplit } from "./lib/splits/random-split.ts";

export default task({
  params: z.strictObject({ split: z.strictObject({ seed: z.int(), train: z.number().gt(0).lt(1) }) }),
  run({ input, output, params: { split } }) {
    const ids = caseList(readFileSync(input(), "utf8")).cases.map((c) => c.id);
    const { train, test } = randomSplit(ids, split);
    writeFileSync(output(), JSON.stringify({ splits: [{ id: "split", train, test }] }, null, 1) + "\n");
  },
});
