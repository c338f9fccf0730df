import type { Plugin } from "esbuild";
import type { ViteUserConfig } from "vitest/config";

export declare const threadImports: Plugin;
export declare const viteThreadImports: NonNullable<ViteUserConfig["plugins"]>[number];
