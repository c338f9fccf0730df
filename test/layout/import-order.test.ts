/** Each folder of the engine imports only from folders below it. docs/architecture.md has the map. */
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { describe, expect, it } from "vitest";
import { HOME } from "../helpers/bundle.ts";

/** From the lowest to the highest. */
const ENGINE = [
  "model",
  "system",
  "environment",
  "files",
  "load",
  "schedule",
  "fingerprint",
  "followed",
  "expand",
  "select",
  "state",
  "lockfile",
  "store",
  "remote",
  "execute",
  "record",
  "decide",
  "session",
  "plan",
  "snapshot",
  "report",
  "history",
  "events",
  "batch",
  "slurm",
  "run",
  "inspect",
  "graph-views",
  "watch",
  "cli",
  "ui",
  "cli/commands",
];

/** `lq` parses the command line before it loads the work of the command. */
const LOADED_ON_DEMAND = "cli/commands";

const IMPORT = /(?:from|import)\s*\(?"(\.{1,2}\/[^"]+)"/g;

const files = readdirSync(join(HOME, "src"), { recursive: true, encoding: "utf8" }).filter((name) =>
  name.endsWith(".ts"),
);

describe("folders of src/", () => {
  it("are all in the order", () => {
    const folders = new Set(files.map((file) => folderOf(file)));
    folders.delete(".");
    expect([...folders].sort()).toEqual([...ENGINE].sort());
  });

  it("import from folders below them only", () => {
    const upwards = files.flatMap((file) =>
      importsOf(file)
        .filter((imported) => isUpwards(folderOf(file), folderOf(imported)))
        .map((imported) => `${file} imports ${imported}`),
    );
    expect(upwards).toEqual([]);
  });

  it("import nothing from the study", () => {
    const fromTasks = files.filter((file) =>
      importsOf(file).some((imported) => imported.startsWith("../tasks")),
    );
    expect(fromTasks).toEqual([]);
  });
});

/** Paths relative to src/. */
function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(HOME, "src", file), "utf8");
  return [...text.matchAll(IMPORT)].map(([, path = ""]) =>
    relative(join(HOME, "src"), resolve(join(HOME, "src", dirname(file)), path)),
  );
}

/** Folders within src/ui are one with it. */
function folderOf(file: string): string {
  const folder = dirname(file);
  return folder.startsWith("ui/") ? "ui" : folder;
}

function isUpwards(from: string, to: string): boolean {
  if (from === to || from === "." || to === ".") return false;
  if (to === LOADED_ON_DEMAND && from === "cli") return false;
  return ENGINE.indexOf(to) > ENGINE.indexOf(from);
}
