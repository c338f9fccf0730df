/** Finds params that somebody sets and nothing reads: a misspelt name must not pass in silence. */
import type { Pipeline } from "../model/model.ts";

/** Keys from the top of the params. */
export type ParamPath = readonly string[];

/** The paths of `given` of which nothing reads the value, anything in it, or a map around it. */
export function unreadParams<P extends { readonly path: ParamPath }>(
  { rules, axes, slurm }: Pick<Pipeline, "rules" | "axes" | "slurm">,
  given: readonly P[],
): readonly P[] {
  const read = given.length === 0 ? [] : [...pathsIn([rules, axes, slurm])];
  return given.filter(({ path }) => !read.some((each) => touches(each, path)));
}

/** A step of a path that an expression names; an axis may be any key. */
type Step = string | { readonly axis: string };

function touches(read: readonly Step[], path: ParamPath): boolean {
  return read.every((step, i) => typeof step !== "string" || path[i] === undefined || step === path[i]);
}

/** The paths of all params that templates name, anywhere in a value. */
function* pathsIn(value: unknown): Generator<readonly Step[]> {
  if (value === null || typeof value !== "object") return;
  if ("kind" in value && value.kind === "param" && "path" in value) yield value.path as readonly Step[];
  const inner: Iterable<unknown> = value instanceof Map ? value.values() : Object.values(value);
  for (const each of inner) yield* pathsIn(each);
}
