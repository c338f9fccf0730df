/** Scores a network's predictions of held-out cases against the original labels. */
import { task } from "lq";
import { z } from "zod";
import { readJson, writeJson } from "./study/json.ts";
import { ignoredValue, readLabelTable, valuesByName } from "./study/labels/labels.ts";
import { aggregate } from "./study/metrics/aggregate.ts";
import { scoreFiles } from "./study/metrics/score-files.ts";
import { warnings } from "./study/volume/reading.ts";
import { allOrgans } from "./study/results/cells.ts";
import type { CaseScores, Evaluation } from "./study/results/results.ts";
import { caseOf } from "./study/datasets/input-files.ts";
import { checkOrgans, metricParams } from "./study/params/metric-params.ts";

const outcomeFile = z.object({
  outcome: z.enum(["converged", "not-converged"]),
  criterion: z.string().nullable(),
});

/** A training whose mean Dice is below this did not converge. */
const LEAST_DICE = 0.05;

export default task({
  params: z
    .strictObject({ ...metricParams, step: z.enum(["pre-training", "fine-tuning"]) })
    .superRefine(checkOrgans),
  async run({ params, files, input, inputs, output, log }) {
    const predictions = new Map(files("predictions").map((file) => [file.name, file.path]));
    const { outcome, criterion } = readJson(predictions.get("outcome.json") ?? "", outcomeFile);
    const table = readLabelTable(input("organs"));
    const labels = valuesByName(table);
    const ignore = ignoredValue(table);
    const cases: CaseScores[] = [];
    for (const path of outcome === "converged" ? inputs("references") : []) {
      const id = caseOf(path);
      const prediction = predictions.get(`${id}.nii.gz`) ?? "";
      const { metrics, reading } = params;
      const organs = await scoreFiles(path, prediction, labels, {
        metrics,
        reading,
        ignore,
        warn: warnings(log),
      });
      const scored = { case: id, organs };
      cases.push(scored);
      log(`${id}: mean Dice ${meanDice([scored]).toFixed(4)}`);
    }
    const result = judge(cases, criterion, params.step);
    log(result.converged ? `mean Dice ${meanDice(cases).toFixed(4)}` : `did not converge: ${result.why}`);
    writeJson(output(), result);
  },
});

function judge(
  cases: CaseScores[],
  criterion: string | null,
  step: "pre-training" | "fine-tuning",
): Evaluation {
  const [, passedOn] = /^(pre-training): /.exec(criterion ?? "") ?? [];
  const where = passedOn === "pre-training" ? passedOn : step;
  if (criterion !== null) return { converged: false, step: where, why: criterion, cases };
  const mean = meanDice(cases);
  if (mean < LEAST_DICE)
    return { converged: false, step, why: `mean Dice ${mean.toFixed(3)} is below ${LEAST_DICE}`, cases };
  return { converged: true, step: null, why: null, cases };
}

/** Mean over organs of each organ's mean over cases (eq. 4 of the paper); NaN if no organ has a score. */
function meanDice(cases: readonly CaseScores[]): number {
  const scores = allOrgans(cases).map((organ) => cases.map((c) => c.organs[organ]?.dice ?? null));
  return aggregate(scores, { deviation: "population" }).mean;
}
