/**
 * Handles the special imports of task modules, for other programs that run the modules' code:
 * `import url from "./module.ts?thread"` gives the URL of the module's compiled code, for `new Worker(new URL(url))`;
 * `import code from "./file.py"` gives the file's text; `import font from "package/font.ttf?file"` gives the path of a
 * package's file.
 */
import { build } from "esbuild";
import { readFileSync } from "node:fs";
import { resolve } from "node:path";

const THREAD = /\?thread$/;
const PACKAGE_FILE = /\?file$/;
/** The path follows as base64: Vitest gives every name with node_modules to Node, which cannot import a font. */
const FOUND_FILE = "\0package-file:";

/** For esbuild. */
export const threadImports = {
  name: "thread-imports",
  setup({ initialOptions, onResolve, onLoad }) {
    initialOptions.loader = { ...initialOptions.loader, ".py": "text" };
    onResolve({ filter: THREAD }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.replace(THREAD, "")),
      namespace: "thread",
    }));
    onLoad({ filter: /.*/, namespace: "thread" }, async ({ path }) => ({
      contents: await threadUrl(path),
      loader: "text",
    }));
  },
};

/** For Vite, and so for Vitest. */
export const viteThreadImports = {
  name: "thread-imports",
  enforce: "pre",
  async resolveId(source, importer) {
    if (!PACKAGE_FILE.test(source)) return undefined;
    const found = await this.resolve(source.replace(PACKAGE_FILE, ""), importer);
    return found === null ? null : FOUND_FILE + Buffer.from(found.id).toString("base64url");
  },
  async load(id) {
    if (id.startsWith(FOUND_FILE)) {
      const path = Buffer.from(id.slice(FOUND_FILE.length), "base64url").toString();
      return `export default ${JSON.stringify(path)}`;
    }
    if (id.endsWith(".py")) return `export default ${JSON.stringify(readFileSync(id, "utf8"))}`;
    if (!THREAD.test(id)) return undefined;
    return `export default ${JSON.stringify(await threadUrl(id.replace(THREAD, "")))}`;
  },
};

async function threadUrl(path) {
  const options = {
    bundle: true,
    write: false,
    loader: { ".py": "text" },
    platform: "node",
    format: "esm",
    packages: "external",
  };
  const { outputFiles } = await build({ ...options, entryPoints: [path] });
  return `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`;
}
