/** Decides from a file's name how the page shows the file. */
import type { FileKind } from "../messages.ts";

const KINDS: readonly (readonly [RegExp, FileKind])[] = [
  [/\.(png|jpe?g|gif|svg|webp)$/i, "picture"],
  [/\.html?$/i, "page"],
  [/\.nii(\.gz)?$/i, "volume"],
  [/\.(md|txt|log|csv|tsv|json|jsonl|ya?ml|tex|py|ts|sh|toml|xml)$/i, "text"],
];

export function fileKind(path: string): FileKind | null {
  return KINDS.find(([pattern]) => pattern.test(path))?.[1] ?? null;
}
