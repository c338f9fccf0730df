/** Folders that exist until the tests of a file have ended. */
import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

const made: string[] = [];
afterAll(() => {
  for (const folder of made.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/**
 * @param files content by path
 * @param parent where to make the folder
 * @returns the folder's absolute path, without links
 */
export function testFolder(files: { readonly [path: string]: string } = {}, parent = tmpdir()): string {
  const folder = realpathSync(mkdtempSync(join(parent, "lq-test-")));
  made.push(folder);
  for (const [path, content] of Object.entries(files)) writeFile(folder, path, content);
  return folder;
}

/** Makes the folders of the path, too. */
export function writeFile(folder: string, path: string, content: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true });
  writeFileSync(join(folder, path), content);
}
