/** The weights of a network by name, without duplicates and without the prefixes of wrappers. */
import { Tensor } from "../torch/tensor.ts";
import type { Pickled } from "../torch/values.ts";

export type StateDict = ReadonlyMap<string, Tensor>;

/**
 * Tensors of a checkpoint's state dict. Removes the prefixes of distributed (`module.`) and compiled (`_orig_mod.`)
 * models. If `canonical` maps several names to one, their tensors must be equal.
 * Throws an Error if the value is no state dict, or if tensors of one name differ.
 */
export async function readStateDict(
  value: Pickled | undefined,
  canonical: (name: string) => string = (name) => name,
): Promise<StateDict> {
  if (!(value instanceof Map)) throw new Error("the checkpoint holds no state dict");
  const tensors = new Map<string, Tensor>();
  for (const [key, tensor] of value) {
    if (typeof key !== "string" || !(tensor instanceof Tensor)) continue;
    const name = canonical(key.replace(/^(module\.|_orig_mod\.)+/, ""));
    const known = tensors.get(name);
    if (known && !(await equal(known, tensor))) {
      throw new Error(`the checkpoint holds two different tensors for ${name} (one named ${key})`);
    }
    tensors.set(name, known ?? tensor);
  }
  if (tensors.size === 0) throw new Error("the checkpoint's state dict is empty");
  return tensors;
}

async function equal(a: Tensor, b: Tensor): Promise<boolean> {
  if (a.sameAs(b)) return true;
  if (a.shape.join() !== b.shape.join()) return false;
  const [first, second] = await Promise.all([a.read(), b.read()]);
  return first.every((value, i) => Object.is(value, second[i]));
}

/** Counts the names `prefix0suffix`, `prefix1suffix`, … up to the first that is missing. */
export function countNames(state: StateDict, prefix: string, suffix: string): number {
  let count = 0;
  while (state.has(`${prefix}${count}${suffix}`)) count++;
  return count;
}
