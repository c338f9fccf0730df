/** The blocks of code in the project's documents. */
import { readFileSync } from "node:fs";
import { parse } from "yaml";
import { TOP_KEYS } from "../../src/load/load.ts";
import { HOME } from "../helpers/bundle.ts";

export interface Block {
  readonly page: string;
  /** Line of the block's first line, from 1. */
  readonly line: number;
  /** What stands behind the fence, such as `yaml`; "" if nothing does. */
  readonly language: string;
  readonly text: string;
  /** The file that the block's first line names in a comment, as in `# params.yaml`; null: it names none. */
  readonly file: string | null;
}

/** @param page path from the repository's root */
export function blocksOf(page: string): readonly Block[] {
  const whole = readFileSync(`${HOME}${page}`, "utf8");
  return [...whole.matchAll(/^```(\w*)\n(.*?)^```$/gms)].map(({ index, 1: language = "", 2: text = "" }) => ({
    page,
    line: whole.slice(0, index).split("\n").length + 1,
    language,
    text,
    file: /^(?:#|\/\/) (\S+\.\w+)\n/.exec(text)?.[1] ?? null,
  }));
}

/** The files that blocks name, by path. */
export function filesIn(blocks: readonly Block[]): { readonly [path: string]: string } {
  return Object.fromEntries(blocks.flatMap(({ file, text }) => (file === null ? [] : [[file, text]])));
}

/** Blocks of YAML that are a pipeline or a part of one. */
export function pipelinesIn(blocks: readonly Block[]): readonly Block[] {
  return blocks.filter(
    ({ language, file }) => language === "yaml" && (file ?? "pipeline.yaml") === "pipeline.yaml",
  );
}

/** A whole pipeline.yaml: a block with keys of the top gets those that it lacks, other blocks are rules. */
export function pipelineFrom({ text }: Block): string {
  const keys = Object.keys(parse(text, { merge: true }) as object);
  const needed = { version: "1", params: "params.yaml" };
  const lines = (known: readonly string[]) =>
    Object.entries(needed).flatMap(([key, value]) => (known.includes(key) ? [] : [`${key}: ${value}\n`]));
  if (keys.every((key) => TOP_KEYS.some((known) => known === key))) return lines(keys).join("") + text;
  return `${lines([]).join("")}rules:\n${text.replace(/^(?=.)/gm, "  ")}`;
}
