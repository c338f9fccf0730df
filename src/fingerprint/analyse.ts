/** Reads a task module with everything that it imports. One read serves both its digest and its bundle. */
import { readFileSync } from "node:fs";
import { isBuiltin } from "node:module";
import { dirname, extname, sep } from "node:path";
import { pathToFileURL } from "node:url";
import type {
  BuildFailure,
  BuildOptions,
  Loader,
  OnLoadResult,
  OnResolveArgs,
  OnResolveResult,
  PluginBuild,
} from "esbuild";
import { UserError, userErrorOf, type Span } from "../model/errors.ts";
import type { Json } from "../model/model.ts";
import { canonicalJson } from "./canonical.ts";
import { codeError } from "./code-errors.ts";
import { sha256 } from "../system/digest.ts";
import { readable } from "../files/file-signature.ts";
import { apiModule } from "../system/installation.ts";
import { findModule, moduleName } from "./modules.ts";
import { installCommand, packageOf, type PackageVersion } from "./packages.ts";

/** The code that a task runs. */
export interface Closure {
  readonly digest: string;
  /** Sorted by path; relative to the project, or `lq:…` for modules that come with lq. */
  readonly files: readonly {
    readonly path: string;
    readonly digest: string;
    /** For followed code: the file that loads this one. It is not in the digest. */
    readonly by?: string;
  }[];
  /** Sorted. */
  readonly packages: readonly PackageVersion[];
}

export interface Analysis {
  readonly closure: Closure;
  /** One ES module, with an inline source map; packages are imported by absolute URLs. */
  readonly bundle: string;
  /** Absolute paths of all files that were read, with the manifests of the packages. */
  readonly sources: readonly string[];
}

interface Source {
  readonly text: string;
  readonly loader: Loader;
}

const LOADERS: { readonly [extension: string]: Loader } = {
  ".ts": "ts",
  ".mts": "ts",
  ".cts": "ts",
  ".tsx": "tsx",
  ".js": "js",
  ".mjs": "js",
  ".cjs": "js",
  ".jsx": "jsx",
  ".json": "json",
  ".yaml": "text",
  ".yml": "text",
  ".txt": "text",
  ".py": "text",
};

const ASKED_BY_LQ = Symbol();

const COMPILING = {
  format: "esm",
  platform: "node",
  target: "node20",
  // Choose among a package's entries as Node does; the defaults of esbuild differ.
  conditions: [],
  mainFields: ["main"],
  // A tsconfig.json must not change what a module does: its key would not show it.
  tsconfigRaw: {},
  legalComments: "none",
  logLevel: "silent",
} satisfies BuildOptions;

/** An import with this ending gives the URL of a module's compiled code, to start a thread with. */
const THREAD = "?thread";

/** An import with this ending gives the path of a file of a package, such as a font. */
const PACKAGE_FILE = "?file";

/**
 * @param root real path of the project
 * @param module the value of `run:`
 * @param outfile where the bundle will be, for its source map
 * @throws UserError with every error of the code, located
 */
export async function analyse(root: string, module: string, outfile: string, span?: Span): Promise<Analysis> {
  const entry = locate(root, module, span);
  const sources = new Map<string, Source>();
  const packages = new Map<string, PackageVersion & { readonly manifest: string }>();
  const { build } = await import("esbuild");
  try {
    const result = await build({
      absWorkingDir: root,
      entryPoints: [entry],
      outfile,
      bundle: true,
      write: false,
      ...COMPILING,
      sourcemap: "inline",
      sourcesContent: false,
      plugins: [{ name: "lq", setup: (each) => collect(each, sources, packages) }],
    });
    return {
      closure: await closureOf(root, entry, sources, [...packages.values()]),
      bundle: result.outputFiles[0]?.text ?? "",
      // The bundle contains lq's API, but no key does.
      sources: [...sources.keys(), ...[...packages.values()].map((each) => each.manifest), apiModule()],
    };
  } catch (error) {
    throw isBuildFailure(error) ? codeError(root, error.errors) : notCompiled(module, error);
  }
}

function locate(root: string, module: string, span: Span | undefined): string {
  const file = findModule(root, module);
  if (file !== undefined) return file;
  throw new UserError({
    message: `there is no task module ${module}`,
    ...(span === undefined ? {} : { span }),
  });
}

function collect(
  build: PluginBuild,
  sources: Map<string, Source>,
  packages: Map<string, PackageVersion & { readonly manifest: string }>,
  threads: readonly string[] = [],
): void {
  const found = (path: string, { kind, importer, resolveDir }: OnResolveArgs) =>
    build.resolve(path, { kind, importer, resolveDir, pluginData: ASKED_BY_LQ });
  const resolve = async (args: OnResolveArgs): Promise<OnResolveResult | undefined> => {
    if (args.pluginData === ASKED_BY_LQ || args.kind === "entry-point") return undefined;
    if (isBuiltin(args.path)) return { path: args.path, external: true };
    if (args.path === "lq") return { path: apiModule() };
    if (args.path.startsWith("lq/")) return resolveOwn(args.path);
    if (args.path.endsWith(THREAD)) {
      const { path, errors } = await found(args.path.slice(0, -THREAD.length), args);
      return { path, errors, namespace: THREAD };
    }
    if (/^(?:[./#]|[a-z]+:)/.test(args.path)) return undefined;
    const isFile = args.path.endsWith(PACKAGE_FILE);
    const { path, errors } = await found(isFile ? args.path.slice(0, -PACKAGE_FILE.length) : args.path, args);
    if (errors.length > 0) {
      const [name] = /^(?:@[^/]+\/)?[^/]+/.exec(args.path) ?? [args.path];
      const notes = [{ text: `install it with npm: ${installCommand(name)}` }];
      return { errors: [{ text: `there is no package "${args.path}"`, notes }] };
    }
    // A linked package can be edited without a new version, so its code counts like the project's own.
    if (!path.includes(`${sep}node_modules${sep}`)) return { path };
    const used = packageOf(path);
    if (used !== null) packages.set(used.manifest, used);
    if (isFile) return { path, namespace: PACKAGE_FILE };
    return { path: pathToFileURL(path).href, external: true };
  };
  const load = (path: string): OnLoadResult => {
    const loader = LOADERS[extname(path)];
    if (loader === undefined)
      return { errors: [{ text: `a task module cannot import a ${extname(path)} file` }] };
    const text = readText(path, build.initialOptions.absWorkingDir ?? "");
    if (typeof text !== "string") return { errors: [{ text: text.message }] };
    if (path !== apiModule()) sources.set(path, { text, loader });
    return { contents: text, loader, resolveDir: dirname(path) };
  };
  const thread = async (path: string): Promise<OnLoadResult> => {
    if (threads.includes(path)) return { errors: [{ text: "a thread cannot start itself" }] };
    const { absWorkingDir = "" } = build.initialOptions;
    const setup = (each: PluginBuild) => collect(each, sources, packages, [...threads, path]);
    const options = { ...COMPILING, absWorkingDir, plugins: [{ name: "lq", setup }], entryPoints: [path] };
    try {
      const { outputFiles } = await build.esbuild.build({ ...options, bundle: true, write: false });
      const code = Buffer.from(outputFiles[0]?.contents ?? []).toString("base64");
      return { contents: `data:text/javascript;base64,${code}`, loader: "text" };
    } catch (error) {
      if (isBuildFailure(error)) return { errors: error.errors };
      throw error;
    }
  };
  build.onResolve({ filter: /.*/ }, resolve);
  build.onLoad({ filter: /.*/, namespace: "file" }, ({ path }) => load(path));
  build.onLoad({ filter: /.*/, namespace: THREAD }, ({ path }) => thread(path));
  build.onLoad({ filter: /.*/, namespace: PACKAGE_FILE }, ({ path }) => ({ contents: path, loader: "text" }));
}

/** The text of a source, or why it cannot be read. */
function readText(path: string, root: string): string | UserError {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const userError = userErrorOf(readable(error, moduleName(root, path)));
    if (userError === undefined) throw error;
    return userError;
  }
}

/** The error of a compiler that could not run. The compiler is a process, which somebody may kill. */
function notCompiled(module: string, error: unknown): UserError {
  const why = error instanceof Error ? error.message : String(error);
  ignoreLateStart();
  return new UserError({
    message: `${module} could not be compiled: esbuild was ended, or cannot be started`,
    hint: `check that there is enough memory and that enough processes may run (${why})`,
  });
}

/** If there are no file descriptors for its pipes, the process emits a second error that nobody listens to. */
function ignoreLateStart(): void {
  const ignore = (error: NodeJS.ErrnoException): void => {
    if (error.syscall?.startsWith("spawn") !== true) throw error;
  };
  process.on("uncaughtException", ignore);
  setImmediate(() => process.off("uncaughtException", ignore));
}

function resolveOwn(specifier: string): OnResolveResult {
  const path = findModule("", `lq:${specifier.slice(3)}`);
  return path !== undefined ? { path } : { errors: [{ text: `there is no module "${specifier}" in lq` }] };
}

async function closureOf(
  root: string,
  entry: string,
  sources: ReadonlyMap<string, Source>,
  packages: readonly PackageVersion[],
): Promise<Closure> {
  const files = await Promise.all(
    [...sources].map(async ([path, source]) => ({
      path: moduleName(root, path),
      digest: await codeDigest(source),
    })),
  );
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const versions = packages
    .map(({ name, version }) => ({ name, version }))
    .sort((a, b) => (a.name + a.version < b.name + b.version ? -1 : 1));
  return {
    digest: sha256(canonicalJson({ entry: moduleName(root, entry), files, versions })),
    files,
    packages: versions,
  };
}

/** Digest of the behaviour of a source: it ignores comments, formatting and types. */
async function codeDigest({ text, loader }: Source): Promise<string> {
  if (loader === "text") return sha256(text);
  if (loader === "json") return sha256(canonicalJson(JSON.parse(text) as Json));
  const { transform } = await import("esbuild");
  const { code } = await transform(text, {
    loader,
    minifyWhitespace: true,
    ignoreAnnotations: true,
    legalComments: "none",
    target: "esnext",
    tsconfigRaw: {},
    logLevel: "silent",
  });
  return sha256(code);
}

function isBuildFailure(error: unknown): error is BuildFailure {
  return error instanceof Error && "errors" in error && Array.isArray(error.errors);
}
