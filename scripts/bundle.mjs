/**
 * Compiles `src/` to `dist/`: the command line, the worker that runs task modules, and the public module; and `web/`,
 * the page of `lq ui`, to `dist/ui/`.
 *
 * Code that a build with nothing to do does not need goes to chunks that are loaded on demand. Chunks are named by
 * their content, and every file is put in place by a rename. So two compilations at once, or one beside a running lq,
 * do no harm. The chunks of the previous compilation stay, for an lq that is still running.
 */
import { build } from "esbuild";
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const home = fileURLToPath(new URL("..", import.meta.url));
const dist = join(home, "dist");
const stamp = join(dist, ".stamp");

const began = new Date();
const options = {
  absWorkingDir: home,
  outdir: dist,
  bundle: true,
  format: "esm",
  platform: "node",
  target: "node20.19",
  external: ["esbuild", "onnxruntime-node"],
  // CommonJS packages inside an ES module still load Node's own modules with `require`.
  banner: {
    js: `import { createRequire as __lqRequire } from "node:module"; const require = __lqRequire(import.meta.url);`,
  },
  legalComments: "none",
  logLevel: "warning",
  write: false,
};
/** Node loads one CommonJS file 20 ms faster than ES modules. */
const commonJs = {
  format: "cjs",
  banner: { js: "const __lqUrl = require('node:url').pathToFileURL(__filename).href;" },
  define: { "import.meta.url": "__lqUrl" },
  outExtension: { ".js": ".cjs" },
};

// Compile chunks first, because the command line needs their names.
const chunk = {
  entryNames: "chunks/[name]-[hash]",
  chunkNames: "chunks/[name]-[hash]",
  metafile: true,
};
const onDemand = [
  await compile({
    ...chunk,
    entryPoints: ["src/cli/commands/index.ts", "src/cli/commands/watch.ts"],
    splitting: true,
  }),
  // Compile these apart: chunks that they share with a build would be many small files, which a build then loads.
  await compile({
    ...chunk,
    entryPoints: [
      "src/cli/commands/ui.ts",
      "src/cli/commands/html-report.ts",
      "src/cli/commands/jobs.ts",
      "src/cli/complete.ts",
      "src/slurm/open.ts",
    ],
  }),
];
const names = new Map(
  onDemand.flatMap(({ metafile }) =>
    Object.entries(metafile.outputs).map(([file, { entryPoint }]) => [entryPoint, relative("dist", file)]),
  ),
);
const results = [
  ...onDemand,
  await compile({
    ...commonJs,
    entryPoints: { cli: "src/cli.ts" },
    plugins: [
      { name: "on-demand", setup: leaveOnDemand },
      { name: "late", setup: loadLate },
    ],
  }),
  // Make one file for each: shared chunks would be many small files, which take long to load.
  await compile({
    entryPoints: {
      worker: "src/execute/worker.ts",
      job: "src/batch/job.ts",
      "hash-thread": "src/files/hash-thread.ts",
      api: "src/api.ts",
      "ui/inspector": "src/ui/inspector.ts",
    },
  }),
  // The page of lq ui, for browsers.
  await compile({
    entryPoints: { "ui/app": "web/main.tsx", "ui/index": "web/index.html" },
    loader: { ".html": "copy" },
    platform: "browser",
    target: "es2022",
    minify: true,
    banner: {},
    jsx: "automatic",
    jsxImportSource: "preact",
  }),
];

// Put chunks in place first, so that an entry never names a file that is not there.
const files = results
  .flatMap((result) => result.outputFiles)
  .sort((a, b) => Number(isEntry(a)) - Number(isEntry(b)));
for (const file of files) place(file.path, file.contents);
place(
  join(dist, "ui/licenses.txt"),
  licenses(["preact", "@preact/signals", "@preact/signals-core", "@dagrejs/dagre", "@dagrejs/graphlib"]),
);
dropOldChunks(new Set(files.map((file) => file.path)));
place(stamp, "");
utimesSync(stamp, began, began);

function compile(more) {
  return build({ ...options, ...more }).catch(() => process.exit(1));
}

/** Keeps a dynamic import of a chunk as an import of the chunk's file. */
function leaveOnDemand({ onResolve }) {
  onResolve({ filter: /\.ts$/ }, ({ path, kind, resolveDir }) => {
    const name = names.get(relative(home, resolve(resolveDir, path)));
    return kind === "dynamic-import" && name ? { path: `./${name}`, external: true } : undefined;
  });
}

/**
 * Loads Node modules at their first use. A build with nothing to do imports these but does not use them; loading takes
 * 5 ms.
 */
function loadLate({ onResolve, onLoad }) {
  onResolve({ filter: /^node:(child_process|crypto)$/ }, ({ path, namespace }) =>
    namespace === "late" ? { path, external: true } : { path, namespace: "late" },
  );
  onLoad({ filter: /^/, namespace: "late" }, ({ path }) => {
    const [module, names] = [path, Object.keys(createRequire(import.meta.url)(path))].map((value) =>
      JSON.stringify(value),
    );
    const property = `{ enumerable: true, get: () => require(${module})[name] }`;
    return { contents: `for (const name of ${names}) Object.defineProperty(exports, name, ${property});` };
  });
}

/** The licence texts of the packages that the page contains. */
function licenses(packages) {
  return packages
    .map((name) => `${name}\n\n${readFileSync(join(home, "node_modules", name, "LICENSE"), "utf8")}`)
    .join("\n\n");
}

function isEntry(file) {
  return !relative(dist, file.path).startsWith("chunks");
}

function place(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}`;
  writeFileSync(temporary, contents);
  renameSync(temporary, path);
}

function dropOldChunks(current) {
  const previous = statSync(stamp, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  const folder = join(dist, "chunks");
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    // Another compilation may have removed the file since it was listed.
    const made = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? previous;
    if (!current.has(path) && made < previous) rmSync(path, { force: true });
  }
}
