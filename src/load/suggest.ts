/** Makes hints of the form "did you mean …?". */
import { distance } from "fastest-levenshtein";

/** Words of other build tools, with the word that lq uses for the same. */
export const OTHER_WORDS: ReadonlyMap<string, string> = new Map([
  ...["input", "inputs", "deps"].map((word) => [word, "in"] as const),
  ...["output", "outputs", "outs"].map((word) => [word, "out"] as const),
  ...["shell", "command"].map((word) => [word, "cmd"] as const),
  ...["resources", "threads"].map((word) => [word, "slots"] as const),
  ...["wildcards", "foreach", "matrix"].map((word) => [word, "each"] as const),
  ["params", "with"],
]);

/** The known name nearest to `name`, if at most a fraction `share` of its letters differ. */
export function nearest(name: string, known: Iterable<string>, share = 0.4): string | undefined {
  const limit = Math.max(1, Math.floor(name.length * share));
  let best: string | undefined;
  let least = limit + 1;
  for (const candidate of known) {
    if (Math.abs(candidate.length - name.length) >= least) continue;
    const far = distance(name, candidate);
    if (far < least && far < candidate.length) [best, least] = [candidate, far];
  }
  return best;
}

/** "did you mean …?", or what is wrong with a name that looks the same. */
export function meant(name: string, near: string): string {
  if (name.normalize() !== near.normalize()) return `did you mean "${near}"?`;
  return `"${near}" is there, which looks the same and is written with other Unicode characters (${formOf(near)}, not ${formOf(name)})`;
}

function formOf(text: string): string {
  return text === text.normalize("NFC") ? "NFC" : text === text.normalize("NFD") ? "NFD" : "mixed";
}

/** A hint: the nearest name, or all names if they are few. */
export function didYouMean(name: string, known: Iterable<string>): string | undefined {
  const all = [...known];
  const other = OTHER_WORDS.get(name);
  const near = other !== undefined && all.includes(other) ? other : nearest(name, all);
  if (near !== undefined) return meant(name, near);
  return all.length > 0 && all.length <= 16 ? `known: ${all.join(", ")}` : undefined;
}
