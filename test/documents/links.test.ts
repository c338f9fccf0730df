/** Links between the project's documents: the files and headings that they name are there. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";

const PAGES = ["", "docs/", "docs/reference/", "bench/", "data/", "examples/"].flatMap((folder) =>
  readdirSync(`${HOME}${folder}`, { recursive: folder === "examples/", encoding: "utf8" })
    .filter((name) => name.endsWith(".md"))
    .map((name) => folder + name),
);

test.each(PAGES)("%s", (page) => {
  const text = readFileSync(HOME + page, "utf8").replace(/^```.*?^```$/gms, "");
  const broken = [...text.matchAll(/\]\(([^)]*)\)/g)]
    .map(([, link = ""]) => link)
    .filter((link) => !/^https?:/.test(link) && !leadsSomewhere(page, link));
  expect(broken).toEqual([]);
});

function leadsSomewhere(page: string, link: string): boolean {
  const [path = "", heading] = link.split("#");
  const target = path === "" ? page : join(dirname(page), path);
  return existsSync(HOME + target) && (heading === undefined || anchorsIn(target).includes(heading));
}

/** The names that GitHub gives to headings. */
function anchorsIn(page: string): readonly string[] {
  const headings = readFileSync(HOME + page, "utf8").matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, text = ""]) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}_ -]/gu, "")
      .replaceAll(" ", "-"),
  );
}
