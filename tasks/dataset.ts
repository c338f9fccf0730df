/** Joins the checks of a dataset's cases into its manifest and the statistics that networks are planned with. */
import { task } from "lq";
import { z } from "zod";
import { readCaseList } from "./study/datasets/case-list.ts";
import { readChecks } from "./study/datasets/check-case.ts";
import { manifestOf, statisticsOf } from "./study/datasets/manifest.ts";
import { writeJson } from "./study/json.ts";
import { readLabelTable } from "./study/labels/labels.ts";

export default task({
  params: z.strictObject({ root: z.string() }),
  run({ input, files, output, params: { root }, log }) {
    const list = readCaseList(input("cases"));
    const table = readLabelTable(input("organs"));
    const checks = readChecks(files("checks"));
    const manifest = manifestOf(list, checks, table);
    const { errors, warnings } = manifest;
    warnings.forEach((warning) => log(`warning: ${warning}`));
    if (errors.length > 0) {
      const count = `${errors.length} of ${list.cases.length} cases cannot be used`;
      throw new Error(`${root}: ${count}:\n${errors.join("\n")}`);
    }
    const { foreground, ...stats } = statisticsOf(checks, table);
    writeJson(output("manifest"), { ...manifest, foreground });
    writeJson(output("stats"), stats);
  },
});
