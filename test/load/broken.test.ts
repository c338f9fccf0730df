/** Checks every project in broken.md: lq must print exactly the text there. */
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { testFolder } from "../helpers/folder.ts";
import { complaint } from "../helpers/load.ts";

const document = readFileSync(new URL("./broken.md", import.meta.url), "utf8");
const cases = document
  .split("\n## ")
  .slice(1)
  .map((section) => {
    const fence = (language: string) => new RegExp(`\`\`\`${language}\\n([^]*?)\`\`\``).exec(section)?.[1];
    return {
      name: section.split("\n", 1)[0] ?? "",
      pipeline: fence("yaml") ?? "",
      params: fence("params"),
      says: (fence("text") ?? "").trim(),
    };
  });

test("there are at least twenty", () => expect(cases.length).toBeGreaterThanOrEqual(20));

describe("broken:", () => {
  test.each(cases)("$name", ({ pipeline, params, says }) => {
    const files = {
      "pipeline.yaml": pipeline,
      "src/1.txt": "1",
      ...(params !== undefined && { "params.yaml": params }),
    };
    expect(complaint(testFolder(files))).toBe(says);
  });
});
