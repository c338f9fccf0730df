/**
 * The code of task modules, as keys see it and as workers run it.
 *
 * A closure is remembered with the stat signatures of all that it was read from, and of the folders of those
 * files (a file added there could change what an import means), so that unchanged code costs no more than
 * asking for these.
 */
import { existsSync, mkdirSync, readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod/mini";
import { Disk } from "../disk.ts";
import { UserError, type Span } from "../errors.ts";
import { CODE } from "../record/layout.ts";
import { isRacy, type Signature } from "../signature.ts";
import { analyse, type Analysis, type Closure } from "./analyse.ts";
import { rename } from "../network-files.ts";
import { sha256 } from "./digest.ts";
import { installation } from "./installation.ts";

export type { Closure } from "./analyse.ts";

/** Notes that outlive a build; `State` is one. */
export interface NoteMemo {
  note(name: string): string | undefined;
  rememberNote(name: string, json: string): void;
}

/** Raise when what a closure is made of changes. */
const VERSION = 2;

const Remembered = z.object({
  version: z.literal(VERSION),
  closure: z.object({
    digest: z.string(),
    files: z.array(z.object({ path: z.string(), digest: z.string() })),
    packages: z.array(z.object({ name: z.string(), version: z.string() })),
  }),
  stamps: z.array(z.tuple([z.string(), z.string()])),
});

export class CodeClosures {
  readonly #root: string;
  readonly #memo: NoteMemo;
  readonly #disk: Disk;
  readonly #closures = new Map<string, Promise<Closure>>();
  readonly #analyses = new Map<string, Promise<Analysis>>();

  constructor(root: string, memo: NoteMemo, disk = new Disk()) {
    this.#disk = disk;
    this.#root = realpathSync(root);
    this.#memo = memo;
  }

  /**
   * @param module as in `run:`
   * @param span of the module's name in pipeline.yaml, for the error if there is none
   * @throws UserError with every error of the code, located
   */
  closure(module: string, span?: Span): Promise<Closure> {
    let closure = this.#closures.get(module);
    if (closure === undefined) this.#closures.set(module, (closure = this.#find(module, span)));
    return closure;
  }

  /**
   * Writes the module with everything it imports as one file, for the workers.
   * @returns absolute path; the name changes with the content
   * @throws UserError if the code is not any more what `closure` said in this build
   */
  async bundle(module: string): Promise<string> {
    const expected = await this.closure(module);
    const { closure, bundle } = await this.#analyse(module);
    if (closure.digest !== expected.digest)
      throw new UserError({ message: `the code of ${module} changed during the build`, hint: "build again" });
    const file = join(this.#root, CODE, `${sha256(bundle)}.mjs`);
    // What is there may be damaged, and would be run.
    if (existsSync(file) && readFileSync(file, "utf8") === bundle) return file;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(`${file}.${process.pid}`, bundle);
    rename(`${file}.${process.pid}`, file);
    return file;
  }

  async #find(module: string, span: Span | undefined): Promise<Closure> {
    // The same project may be built by another installation of lq, whose modules are others.
    const name = `code:${module} ${installation()}`;
    const remembered = recall(this.#memo.note(name));
    if (remembered?.stamps.every(([path, stamp]) => stampOf(this.#disk, path) === stamp))
      return remembered.closure;
    const started = Date.now();
    const { closure, sources } = await this.#analyse(module, span);
    const watched = [...new Set(sources.flatMap((path) => [path, dirname(path)]))];
    const stamps = watched.map((path): [string, string] => [path, stampOf(this.#disk, path)]);
    if (!watched.some((path) => isRacyPath(path, started)))
      this.#memo.rememberNote(name, JSON.stringify({ version: VERSION, closure, stamps }));
    return closure;
  }

  #analyse(module: string, span?: Span): Promise<Analysis> {
    let analysis = this.#analyses.get(module);
    if (analysis === undefined) {
      analysis = analyse(this.#root, module, join(this.#root, CODE, "module.mjs"), span);
      this.#analyses.set(module, analysis);
    }
    return analysis;
  }
}

function recall(json: string | undefined): z.infer<typeof Remembered> | undefined {
  if (json === undefined) return undefined;
  return Remembered.safeParse(JSON.parse(json)).data;
}

function stampOf(disk: Disk, path: string): string {
  const stats = disk.find(path);
  return stats === undefined ? "" : `${stats.size} ${stats.mtimeMs} ${stats.ctimeMs} ${stats.ino}`;
}

function isRacyPath(path: string, since: number): boolean {
  const stats: Signature | undefined = statSync(path, { throwIfNoEntry: false });
  return stats === undefined || isRacy(stats, since);
}
