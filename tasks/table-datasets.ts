/** Lists the datasets: cases, labels, what the checks found, and images that occur more than once. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import { readCaseList } from "./study/datasets/case-list.ts";
import { readChecks } from "./study/datasets/check-case.ts";
import { duplicates } from "./study/datasets/leakage.ts";
import { manifestOf, type Manifest } from "./study/datasets/manifest.ts";
import { readLabelTable } from "./study/labels/labels.ts";
import { inOrder } from "./study/results/results.ts";
import { syntheticSources, names } from "./study/results/settings.ts";
import { escape } from "./study/tables/markdown.ts";
import { syntheticNotice } from "./study/tables/synthetic.ts";

export default task({
  params: z.strictObject({ names }),
  run({ files, output, params, log }) {
    const tables = new Map(files("organs").map(({ name, path }) => [name, path]));
    const manifests = Object.fromEntries(
      files("cases").map(({ name, path }): [string, Manifest] => {
        const dataset = name.replace(/\.json$/, "");
        const checks = files("checks").flatMap((file) =>
          file.name.startsWith(`${dataset}/`) ? [{ ...file, name: file.name.slice(dataset.length + 1) }] : [],
        );
        const list = readCaseList(path);
        return [dataset, manifestOf(list, readChecks(checks), readLabelTable(tables.get(name) ?? ""))];
      }),
    );
    const rows = inOrder(Object.keys(manifests), params.names).map((key) => {
      const { cases, published, labels, errors, warnings } = manifests[key]!;
      const absent = Object.entries(labels).flatMap(([label, { absent: ids }]) =>
        ids.length > 0 ? [`${label} in ${ids.length}`] : [],
      );
      const cells = [
        params.names[key] ?? key,
        cases,
        published ?? "–",
        Object.keys(labels).length,
        absent.join(", ") || "–",
        errors.length,
        warnings.length,
      ];
      return `| ${cells.map((cell) => escape(String(cell))).join(" | ")} |`;
    });
    const leaks = duplicates(manifests).map(({ places }) => places.join(" = "));
    for (const leak of leaks) log(`warning: the same image: ${leak}`);
    const synthetic = syntheticSources(files("cases"));
    const parts = inOrder(Object.keys(manifests), params.names).map((key) => ({
      name: params.names[key] ?? key,
      synthetic: [synthetic.has(key)],
    }));
    const notice = syntheticNotice("rows", parts);
    const lines = [
      "# Datasets",
      "",
      ...(notice === null ? [] : [`> **${notice}**`, ""]),
      "| Dataset | Cases | Published | Labels | Absent | Unusable cases | Warnings |",
      "|---|---:|---:|---:|---|---:|---:|",
      ...rows,
      "",
      "## Images that occur more than once",
      "",
      ...(leaks.length > 0
        ? [
            "A network may be tested on an image that it was trained on:",
            "",
            ...leaks.map((leak) => `- ${escape(leak)}`),
          ]
        : ["None."]),
      "",
    ];
    writeFileSync(output(), lines.join("\n"));
  },
});
