/** Starting weights: random, or those of a trained network but for its output layers. */
import type { DynUNetSpec } from "../nn/dynunet.ts";
import { initialise, parameters } from "../nn/parameters.ts";
import type { Weights } from "../nn/parameters.ts";

/**
 * `output_block` and the deep-supervision heads always start anew: their channels are another data set's labels.
 * Throws an Error where the trained network's shape is another one.
 */
export function startWeights(spec: DynUNetSpec, seed: number | string, trained?: Weights): Weights {
  const weights = initialise(spec, seed);
  if (trained === undefined) return weights;
  for (const { name, shape } of parameters(spec)) {
    if (name.startsWith("output_block.") || name.startsWith("deep_supervision_heads.")) continue;
    const values = trained.get(name);
    if (values?.length !== shape.reduce((a, b) => a * b, 1)) {
      throw new Error(
        `the starting checkpoint has another network: ${name} should be [${shape.join(", ")}], ` +
          (values === undefined ? "but is missing" : `but holds ${values.length} values`),
      );
    }
    weights.set(name, values);
  }
  return weights;
}
