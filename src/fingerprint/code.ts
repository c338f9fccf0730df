/**
 * Knows the code of task modules: its digest for keys, and its bundle for workers.
 *
 * lq remembers a closure and the name of its bundle with the stat signatures of all files that they were read from.
 * The signatures of the folders count too, because a file that is added there can change what an import means.
 * Unchanged code therefore costs only these signatures.
 */
import { readFileSync, realpathSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import * as z from "zod/mini";
import { Disk } from "../files/disk.ts";
import { UserError, type Span } from "../model/errors.ts";
import { makeFolder } from "../files/make-folder.ts";
import { CODE } from "../model/layout.ts";
import { isRacy, type Signature } from "../files/signature.ts";
import { analyse, type Analysis, type Closure } from "./analyse.ts";
import { rename } from "../files/network-files.ts";
import { sha256 } from "../system/digest.ts";
import { installation } from "../system/installation.ts";

export type { Closure } from "./analyse.ts";

/** Keeps notes from one build to the next. `State` implements it. */
export interface NoteMemo {
  note(name: string): string | undefined;
  rememberNote(name: string, json: string): void;
}

/** Raise this when the content of closures or bundles changes its meaning. */
const VERSION = 3;

const NOTE = "code:";

const Remembered = z.object({
  version: z.literal(VERSION),
  closure: z.object({
    digest: z.string(),
    files: z.array(z.object({ path: z.string(), digest: z.string() })),
    packages: z.array(z.object({ name: z.string(), version: z.string() })),
  }),
  bundle: z.string(),
  stamps: z.array(z.tuple([z.string(), z.string()])),
});

/** Digests of the bundles that `memo` records for the present code, for any installation of lq. */
export function bundlesKnown(memo: {
  notes(): Iterable<{ readonly name: string; readonly json: string }>;
}): ReadonlySet<string> {
  const known = new Set<string>();
  for (const { name, json } of memo.notes()) {
    const bundle = name.startsWith(NOTE) ? recall(json)?.bundle : undefined;
    if (bundle !== undefined) known.add(bundle);
  }
  return known;
}

interface KnownBundle {
  readonly closure: Closure;
  /** Digest of the bundle, even if the bundle is not written yet. */
  readonly bundle: string;
}

export class CodeClosures {
  readonly #root: string;
  readonly #memo: NoteMemo;
  readonly #disk: Disk;
  readonly #known = new Map<string, Promise<KnownBundle>>();
  readonly #analyses = new Map<string, Promise<Analysis>>();

  constructor(root: string, memo: NoteMemo, disk = new Disk()) {
    this.#disk = disk;
    this.#root = realpathSync(root);
    this.#memo = memo;
  }

  /**
   * @param module the value of `run:`
   * @param span the place of the module's name in pipeline.yaml, for the error if there is no module
   * @throws UserError with every error of the code, located
   */
  async closure(module: string, span?: Span): Promise<Closure> {
    return (await this.#know(module, span)).closure;
  }

  /**
   * Writes the module with everything it imports as one file, for the workers.
   * @param elsewhere absolute folder for the bundle if the project cannot be written
   * @returns absolute path; the name changes with the content
   * @throws UserError if the code has changed since `closure` read it in this build
   */
  async bundle(module: string, elsewhere?: string): Promise<string> {
    const folder = join(this.#root, CODE);
    const known = await this.#know(module);
    if (isWritten(folder, known.bundle)) return bundleFile(folder, known.bundle);
    const { closure, bundle } = await this.#analyse(module);
    if (closure.digest !== known.closure.digest)
      throw new UserError({ message: `the code of ${module} changed during the build`, hint: "build again" });
    try {
      return write(folder, bundle);
    } catch (error) {
      if (elsewhere === undefined) throw error;
      return write(elsewhere, bundle);
    }
  }

  #know(module: string, span?: Span): Promise<KnownBundle> {
    let known = this.#known.get(module);
    if (known === undefined) this.#known.set(module, (known = this.#find(module, span)));
    return known;
  }

  async #find(module: string, span: Span | undefined): Promise<KnownBundle> {
    // Another installation of lq, with other modules, may build the same project.
    const name = `${NOTE}${module} ${installation()}`;
    const remembered = recall(this.#memo.note(name));
    if (remembered?.stamps.every(([path, stamp]) => stampOf(this.#disk, path) === stamp)) return remembered;
    const started = Date.now();
    const { closure, sources, ...analysis } = await this.#analyse(module, span);
    const bundle = sha256(analysis.bundle);
    const watched = [...new Set(sources.flatMap((path) => [path, dirname(path)]))];
    const stamps = watched.map((path): [string, string] => [path, stampOf(this.#disk, path)]);
    if (!watched.some((path) => isRacyPath(path, started)))
      this.#memo.rememberNote(name, JSON.stringify({ version: VERSION, closure, bundle, stamps }));
    return { closure, bundle };
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

function write(folder: string, bundle: string): string {
  const digest = sha256(bundle);
  const file = bundleFile(folder, digest);
  if (isWritten(folder, digest)) return file;
  makeFolder(folder);
  writeFileSync(`${file}.${process.pid}`, bundle);
  rename(`${file}.${process.pid}`, file);
  return file;
}

function bundleFile(folder: string, digest: string): string {
  return join(folder, `${digest}.mjs`);
}

/** Checks a bundle before a worker runs it: it may be damaged, or another user may have written it. */
function isWritten(folder: string, digest: string): boolean {
  try {
    return sha256(readFileSync(bundleFile(folder, digest))) === digest;
  } catch {
    return false;
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
