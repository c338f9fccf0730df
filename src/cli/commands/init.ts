/** `lq init`: writes a small project that builds. It replaces no file. */
import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { UserError } from "../../model/errors.ts";
import { isWithin } from "../../model/paths.ts";
import { installation } from "../../system/installation.ts";
import { startFolder, type CommonFlags } from "../flags.ts";
import { starterFiles, type Language } from "../starter-project.ts";
import { VERSION } from "../version.ts";

interface InitFlags extends CommonFlags {
  readonly language: Language;
}

export function runInit([folder = "."]: readonly string[], flags: InitFlags): Promise<number> {
  const root = resolve(startFolder(flags), folder);
  const files = Object.entries(starterFiles(flags.language, schemaFor(root), VERSION));
  const there = files.map(([path]) => path).filter((path) => existsSync(join(root, path)));
  if (there.length > 0)
    throw new UserError({
      message: `lq init replaces no file, and ${root} has ${there.join(", ")}`,
      hint: "name a new folder: lq init FOLDER",
    });
  for (const [path, text] of files) {
    if (flags.dryRun !== true) writeNew(join(root, path), text);
    tell(path, flags);
  }
  if (flags.dryRun !== true && flags.json !== true && flags.quiet !== true)
    console.log(`\nbuild it: lq -C ${relative(process.cwd(), root) || "."} build`);
  return Promise.resolve(0);
}

/** Relative if lq is installed in the project, so that it holds for everyone who clones the project. */
function schemaFor(root: string): string {
  const schema = join(installation(), "schema/pipeline.schema.json");
  return isWithin(root, schema) ? `./${relative(root, schema)}` : schema;
}

function writeNew(file: string, text: string): void {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text, { flag: "wx" });
  } catch (error) {
    const why = (error as NodeJS.ErrnoException).code ?? String(error);
    throw new UserError(`cannot write ${file} (${why})`, { cause: error });
  }
}

function tell(path: string, { json, quiet, dryRun }: InitFlags): void {
  if (json === true) console.log(JSON.stringify({ type: "init", path }));
  else if (quiet !== true) console.log(`${dryRun === true ? "would write" : "wrote"} ${path}`);
}
