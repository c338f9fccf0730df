/** Values of all parameters as one vector, in the order of `parameters(spec)`. */
import type { DynUNetSpec } from "./dynunet.ts";
import { parameters, type Weights } from "./parameters.ts";
import { product } from "./autodiff/shapes.ts";

export function flatLength(spec: DynUNetSpec): number {
  return parameters(spec).reduce((total, { shape }) => total + product(shape), 0);
}

/** Throws an Error that names the parameter whose values are missing or of another size. */
export function flatten(spec: DynUNetSpec, weights: Weights): Float32Array {
  const flat = new Float32Array(flatLength(spec));
  let offset = 0;
  for (const { name, shape } of parameters(spec)) {
    const values = weights.get(name);
    if (values?.length !== product(shape)) {
      throw new Error(`weights: ${name} should hold ${product(shape)} values, not ${values?.length ?? 0}`);
    }
    flat.set(values, offset);
    offset += values.length;
  }
  return flat;
}

/** Copies, by parameter name. */
export function unflatten(spec: DynUNetSpec, flat: Float32Array): Map<string, Float32Array> {
  let offset = 0;
  return new Map(
    parameters(spec).map(
      ({ name, shape }) => [name, flat.slice(offset, (offset += product(shape)))] as const,
    ),
  );
}
