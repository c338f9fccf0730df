/** Finds a dataset's cases, checks every one, and writes the case list, the manifest and the planning statistics. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { checkDataset } from "./lib/datasets/check-dataset.ts";
import { indexDataset } from "./lib/datasets/index-dataset.ts";
import { labelNames } from "./lib/datasets/label-names.ts";
import { caseListText } from "./lib/datasets/case-list.ts";

export default task({
  params: z.strictObject({ layout: z.string(), root: z.string(), phantom: z.unknown() }),
  async run({ input, output, params, progress, log }) {
    const cases = await indexDataset(params.layout, input());
    const { manifest, stats } = await checkDataset(params.layout, input(), cases, (done) =>
      progress(done / cases.length, `case ${done} of ${cases.length}`),
    );
    manifest.warnings.forEach((warning) => log(`warning: ${warning}`));
    if (manifest.errors.length > 0) {
      throw new Error(
        `${params.root}: ${manifest.errors.length} of ${cases.length} cases cannot be used:\n${manifest.errors.join("\n")}`,
      );
    }
    const synthetic = params.phantom !== null;
    const labels = Object.fromEntries(
      [...(await labelNames(params.layout, input()))].map(([id, name]) => [name, id]),
    );
    writeFileSync(output("cases"), caseListText(params.root, cases, { synthetic }));
    save(output("manifest"), { ...manifest, foreground: stats.foreground });
    save(output("stats"), { spacing: stats.spacing, size: stats.size, labels });
  },
});

function save(path: string, value: unknown): void {
  writeFileSync(path, JSON.stringify(value, null, 1) + "\n");
}
