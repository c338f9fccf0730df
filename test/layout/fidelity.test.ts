/** docs/fidelity.md states the tolerances that its tests use: each number stands in one of the tests that its row names. */
import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";

const rows = readFileSync(`${HOME}docs/fidelity.md`, "utf8")
  .split("\n")
  .filter((line) => line.startsWith("| ") && !line.startsWith("| part") && !line.startsWith("| --"))
  .map((line) => line.split("|").map((cell) => cell.trim()))
  .map(([, part = "", , , tolerance = "", tests = ""]) => ({ part, tolerance, tests }));

test("the table has rows", () => expect(rows.length).toBeGreaterThan(20));

test.for(rows)("$part", ({ tolerance, tests }) => {
  const files = [...tests.matchAll(/`(test\/[^`]*)`/g)].map(([, path]) => path!);
  for (const path of files) expect(existsSync(HOME + path.replace(/[^/]*\*$/, "")), path).toBe(true);
  const texts = files.filter((path) => path.endsWith(".ts")).map((path) => readFileSync(HOME + path, "utf8"));
  for (const [number] of tolerance.matchAll(/\d+(\.\d+)?e-\d+|0\.\d+/g)) {
    const literal = new RegExp(`(?<![\\d.])${number.replaceAll(".", "\\.")}(?![\\d.])`);
    const used = texts.some((text) => literal.test(text.replace(/^ *(\/\/|\*|\/\*).*$/gm, "")));
    expect(used, `${number} is a limit in ${files.join(" or ")}`).toBe(true);
  }
});
