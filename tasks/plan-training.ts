/** Plans a training on a user's own volumes: target spacing, label table, and which cases are held out. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { IMAGE, LABEL, readChecks, type CaseCheck } from "./study/datasets/check-case.ts";
import { statisticsOf } from "./study/datasets/manifest.ts";
import { readJson, writeJson } from "./study/json.ts";
import { IGNORE, labelTableText } from "./study/labels/labels.ts";
import { randomSplit } from "./study/splits/random-split.ts";
import { network, normalisation, triple } from "./study/params/settings.ts";
import { readStart } from "./study/training/read-start.ts";
import { compareSettings, requireNetwork, specOf } from "./study/training/start.ts";

const caseList = z.object({ cases: z.array(z.object({ id: z.string(), label: z.string() })) });

const millimetres = z.number().positive();

export default task({
  params: z.strictObject({
    /** Label value of each name. All other values are background. */
    label_values: z
      .record(z.string(), z.int().min(1).max(65535))
      .refine((labels) => new Set(Object.values(labels)).size === Object.keys(labels).length, {
        message: "two labels have the same value",
      }),
    /** Millimetres along the patient's x, y, z. auto: the spacing of the starting checkpoint, or the median of the cases. */
    spacing: z.union([z.literal("auto"), z.tuple([millimetres, millimetres, millimetres])], {
      error: "expected auto, or three numbers of millimetres above 0 (x, y, z)",
    }),
    split: z.strictObject({ seed: z.int(), train: z.number().gt(0).lt(1) }),
    /** Settings of the training, given with input "start". Checked here, so that a misfit is refused before the work. */
    start: z.strictObject({ network, patch: triple, normalisation }).optional(),
  }),
  async run({ params, files, input, output, log }) {
    const checks = readChecks(files("checks"));
    for (const [id, { warnings }] of checks)
      for (const what of warnings) log(`warning: ${id}: ${pathless(what)}`);
    refuseBroken(checks);
    refuseAbsent(checks, params.label_values);
    const table = new Map(
      Object.entries(params.label_values).map(([name, value]) => [value, { name, organ: null }] as const),
    );
    const { spacing: median, labels, ignore } = statisticsOf(checks, table);
    const start = params.start ? await readStart(input("start")) : null;
    const spacing = params.spacing === "auto" ? (start?.record?.spacing ?? median) : params.spacing;
    if (start !== null && params.start !== undefined) {
      requireNetwork(start, specOf(params.start.network, labels, start));
      compareSettings(start, { ...params.start, spacing, labels }).forEach(log);
    }
    const { train, test } = randomSplit([...checks.keys()], params.split);
    const labelFiles = new Map(readJson(input("cases"), caseList).cases.map(({ id, label }) => [id, label]));
    writeJson(output("stats"), { spacing, labels, ignore });
    const references = test.map((id) => labelFiles.get(id));
    writeJson(output("split"), { splits: [{ id: "split", train, test, references }] });
    writeFileSync(output("organs"), labelTableText(table));
  },
});

/** The case's id says which files they are. */
function pathless(text: string): string {
  return text.replaceAll(IMAGE, "image").replaceAll(LABEL, "labels");
}

function refuseBroken(checks: ReadonlyMap<string, CaseCheck>): void {
  const errors = [...checks].flatMap(([id, check]) =>
    check.errors.map((error) => `${id}: ${pathless(error)}`),
  );
  if (errors.length > 0) throw new Error(`cases that cannot be used:\n${errors.join("\n")}`);
}

function refuseAbsent(
  checks: ReadonlyMap<string, CaseCheck>,
  labels: { readonly [name: string]: number },
): void {
  const found = new Set([...checks.values()].flatMap(({ facts }) => Object.keys(facts?.voxels ?? {})));
  const absent = Object.entries(labels).filter(
    ([name, value]) => name !== IGNORE && !found.has(String(value)),
  );
  if (absent.length === 0) return;
  const list = absent.map(([name, value]) => `${name} (${value})`).join(", ");
  throw new Error(`no case has a voxel of ${list}; the label files hold ${[...found].join(", ") || "none"}`);
}
