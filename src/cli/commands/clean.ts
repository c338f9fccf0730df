/** `lq clean [TARGET…]`: removes outputs that lq wrote and nobody has edited since. */
import { clean } from "../../run/clean.ts";
import { moreLines } from "../../model/cut-list.ts";
import { onInterrupt } from "../interrupt.ts";
import { openProject, type CommonFlags } from "../options.ts";
import { print } from "../print.ts";

export async function runClean(
  targets: readonly string[],
  flags: CommonFlags & { readonly cache?: boolean; readonly orphans?: boolean },
): Promise<number> {
  const { pipeline, cwd } = openProject(flags);
  const interrupt = onInterrupt();
  try {
    const cleaned = await clean({
      pipeline,
      cwd,
      targets,
      cache: flags.cache,
      orphans: flags.orphans,
      dryRun: flags.dryRun,
      signal: interrupt.signal,
      waiting: (holder) => process.stderr.write(`waiting for a build (${holder})\n`),
    });
    if (flags.json) console.log(JSON.stringify({ type: "clean", dryRun: flags.dryRun === true, ...cleaned }));
    else if (!flags.quiet) print(describe(cleaned, flags.dryRun === true));
    return 0;
  } catch (error) {
    const code = interrupt.exitCode();
    if (code !== null) return code;
    throw error;
  } finally {
    interrupt.release();
  }
}

const SHOWN = 20;

function describe(
  { removed, kept, edits, unreadable, cache }: Awaited<ReturnType<typeof clean>>,
  dryRun: boolean,
): string {
  const would = dryRun ? "would remove" : "removed";
  const listed = dryRun ? removed : removed.slice(0, SHOWN);
  return [
    ...listed.map((path) => `${would} ${path}`),
    ...moreLines(removed.length, listed.length),
    ...kept.map((path, i) => {
      const file = edits[i] ?? path;
      return `kept ${path}: ${file === path ? "" : `${file} was `}edited since lq wrote it`;
    }),
    ...unreadable.map(({ path, why }) => `kept ${path}: ${why}`),
    ...(cache ? [`${would} the cache`] : []),
    `${removed.length} ${removed.length === 1 ? "output" : "outputs"} ${dryRun ? "to remove" : "removed"}, ${kept.length + unreadable.length} kept`,
  ].join("\n");
}
