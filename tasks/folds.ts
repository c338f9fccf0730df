/** Cross-validation folds, and for each case the fold that predicts it. */
import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { caseList } from "./lib/datasets/case-list.ts";
import { kFolds } from "./lib/splits/folds.ts";

export default task({
  params: z.strictObject({ folds: z.strictObject({ count: z.int().min(2), seed: z.int() }) }),
  run({ input, output, params }) {
    const { folds, cases } = kFolds(caseList(readFileSync(input(), "utf8")).cases, params.folds);
    const named = folds.map(({ fold, train, val }) => ({ id: String(fold), train, val }));
    writeFileSync(output(), JSON.stringify({ folds: named, cases }, null, 1) + "\n");
  },
});
