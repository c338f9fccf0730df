/** A dataset from the checks of its cases: its manifest, and the statistics that networks are planned by. */
import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { caseList } from "./lib/datasets/case-list.ts";
import { readChecks } from "./lib/datasets/check-case.ts";
import { manifestOf, statisticsOf } from "./lib/datasets/manifest.ts";
import { readLabelTable } from "./lib/labels/labels.ts";

export default task({
  params: z.strictObject({ root: z.string() }),
  run({ input, files, output, params: { root }, log }) {
    const list = caseList(readFileSync(input("cases"), "utf8"));
    const table = readLabelTable(readFileSync(input("organs"), "utf8"));
    const checks = readChecks(files("checks"));
    const manifest = manifestOf(list, checks, table);
    const { errors, warnings } = manifest;
    warnings.forEach((warning) => log(`warning: ${warning}`));
    if (errors.length > 0) {
      const count = `${errors.length} of ${list.cases.length} cases cannot be used`;
      throw new Error(`${root}: ${count}:\n${errors.join("\n")}`);
    }
    const { foreground, ...stats } = statisticsOf(checks, table);
    save(output("manifest"), { ...manifest, foreground });
    save(output("stats"), stats);
  },
});

function save(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value, null, 1) + "\n");
}
