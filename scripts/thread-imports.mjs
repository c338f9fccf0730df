/**
 * Plugins that handle `import url from "./module.ts?thread"` as lq does in task modules, for other programs that run
 * their code. The import gives the URL of the module's compiled code, for `new Worker(new URL(url))`.
 */
import { build } from "esbuild";
import { resolve } from "node:path";

const THREAD = /\?thread$/;

/** For esbuild. */
export const threadImports = {
  name: "thread-imports",
  setup({ onResolve, onLoad }) {
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
  async load(id) {
    if (!THREAD.test(id)) return undefined;
    return `export default ${JSON.stringify(await threadUrl(id.replace(THREAD, "")))}`;
  },
};

async function threadUrl(path) {
  const options = { bundle: true, write: false, platform: "node", format: "esm", packages: "external" };
  const { outputFiles } = await build({ ...options, entryPoints: [path] });
  return `data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString("base64")}`;
}
