/**
 * Cross-correlation that is fast on onnxruntime's CPU kernels even with few channels.
 *
 * With few output channels the matrix product inside Conv has too few rows to be fast, and copying 27 neighbours
 * costs more than the arithmetic. If the stride along z is 1, we therefore cut the kernel along z: one Conv with
 * kernel (1, ky, kx) gives kz·O channels, which are then shifted along z and added. This is 1.2 to 1.7 times as fast
 * as Conv for up to 32 output channels (measured).
 */
import type { Triple } from "../../arrays.ts";
import type { Graph, Value } from "../onnx/graph.ts";
import { reshape, slice, transpose } from "./shapes.ts";

export interface Correlation {
  readonly from: number;
  readonly to: number;
  readonly kernel: Triple;
  readonly stride: Triple;
  /** Zeros before and after each axis. */
  readonly before: Triple;
  readonly after: Triple;
}

/** With more output channels than this, Conv alone is faster. */
const fewChannels = 32;
const toTheEnd = Number.MAX_SAFE_INTEGER;

/** Correlates x (N, I, z, y, x) of any size with weight (O, I, kz, ky, kx). */
export function correlate(g: Graph, x: Value, weight: Value, c: Correlation): Value {
  const [kz, ky, kx] = c.kernel;
  const attributes = { strides: c.stride, pads: [...c.before, ...c.after] };
  if (kz === 1 || c.stride[0] !== 1 || c.to > fewChannels) {
    return g.node("Conv", [x, weight], { kernel_shape: c.kernel, ...attributes });
  }
  const flat = reshape(g, transpose(g, weight, [2, 0, 1, 3, 4]), [kz * c.to, c.from, 1, ky, kx]);
  const planes = g.node("Conv", [x, flat], { kernel_shape: [1, ky, kx], ...attributes });
  const parts = Array.from({ length: kz }, (_, k) => {
    const end = k === kz - 1 ? toTheEnd : k - kz + 1;
    return slice(g, planes, [1, 2], [k * c.to, k], [(k + 1) * c.to, end]);
  });
  return g.node("Sum", parts);
}
