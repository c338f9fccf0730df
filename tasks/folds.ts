/** Writes cross-validation folds, and for each case the fold whose network predicts it. */
import { task } from "lq";
import { z } from "zod";
import { readCaseList } from "./study/datasets/case-list.ts";
import { writeJson } from "./study/json.ts";
import { kFolds } from "./study/splits/folds.ts";

export default task({
  params: z.strictObject({ folds: z.strictObject({ count: z.int().min(2), seed: z.int() }) }),
  run({ input, output, params }) {
    const { folds, cases } = kFolds(readCaseList(input()).cases, params.folds);
    const named = folds.map(({ fold, train, val }) => ({ id: String(fold), train, val }));
    writeJson(output(), { folds: named, cases });
  },
});
