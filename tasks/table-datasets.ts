/** The datasets at hand: cases, labels, what is odd about them, and images that occur in more than one. */
import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
import type { Manifest } from "./lib/datasets/check-dataset.ts";
import { duplicates } from "./lib/datasets/leakage.ts";
import { inOrder } from "./lib/results/results.ts";
import { anySynthetic, names } from "./lib/results/settings.ts";
import { escape } from "./lib/tables/markdown.ts";
import { SYNTHETIC_NOTICE } from "./lib/tables/table.ts";

export default task({
  params: z.strictObject({ names }),
  run({ files, output, params }) {
    const manifests = Object.fromEntries(
      files("manifests")
        .filter(({ name }) => name.endsWith(".json"))
        .map(({ name, path }) => [
          name.replace(/\.json$/, ""),
          JSON.parse(readFileSync(path, "utf8")) as Manifest,
        ]),
    );
    const rows = inOrder(Object.keys(manifests), params.names).map((key) => {
      const { cases, published, labels, warnings } = manifests[key] as Manifest;
      const absent = Object.entries(labels).flatMap(([label, { absent: ids }]) =>
        ids.length > 0 ? [`${label} in ${ids.length}`] : [],
      );
      const cells = [
        params.names[key] ?? key,
        cases,
        published ?? "–",
        Object.keys(labels).length,
        absent.join(", ") || "–",
        warnings.length,
      ];
      return `| ${cells.map((cell) => escape(String(cell))).join(" | ")} |`;
    });
    const leaks = duplicates(manifests).map(({ places }) => `- ${places.map(escape).join(" = ")}`);
    const lines = [
      "# Datasets",
      "",
      ...(anySynthetic(files("cases")) ? [`> **${SYNTHETIC_NOTICE}**`, ""] : []),
      "| Dataset | Cases | Published | Labels | Absent | Warnings |",
      "|---|---:|---:|---:|---|---:|",
      ...rows,
      "",
      "## Images that occur more than once",
      "",
      ...(leaks.length > 0 ? ["What is trained on may be tested on:", "", ...leaks] : ["None."]),
      "",
    ];
    writeFileSync(output(), lines.join("\n"));
  },
});
