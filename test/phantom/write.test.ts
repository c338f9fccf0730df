import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { listCases } from "../../tasks/study/datasets/list-cases.ts";
import { phantomLayouts } from "../../tasks/study/phantom/spec.ts";
import { writePhantomDataset } from "../../tasks/study/phantom/write.ts";
import { testFolder } from "../helpers/folder.ts";

const root = testFolder();

function digests(folder: string): Record<string, string> {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    files.map((entry) => {
      const path = join(entry.parentPath, entry.name);
      return [path.slice(folder.length), createHash("sha256").update(readFileSync(path)).digest("hex")];
    }),
  );
}

describe("phantom datasets", () => {
  it.each(phantomLayouts)("of %s are found by the dataset's own layout", async (layout) => {
    const folder = join(root, layout);
    await writePhantomDataset(layout, { cases: 2 }, folder);
    const names = Object.keys(digests(folder)).map((path) => path.slice(1));
    expect(listCases(layout, folder, names).cases).toHaveLength(2);
  });

  it("keep every byte of the other cases when one is added", async () => {
    await writePhantomDataset("word", { cases: 2 }, join(root, "two"));
    await writePhantomDataset("word", { cases: 3 }, join(root, "three"));
    const [two, three] = [digests(join(root, "two")), digests(join(root, "three"))];
    expect(Object.keys(three)).toHaveLength(6);
    expect(three).toMatchObject(two);
  });

  it("refuse a layout without phantoms, and an edit of a case that does not exist", async () => {
    await expect(writePhantomDataset("chaos", {}, root)).rejects.toThrow('no phantoms in the layout "chaos"');
    const edits = { Patient_99: { image_seed: 1 } };
    await expect(writePhantomDataset("segthor", { cases: 2, edits }, root)).rejects.toThrow(
      "no phantom of segthor is called Patient_99; they are Patient_01",
    );
  });
});
