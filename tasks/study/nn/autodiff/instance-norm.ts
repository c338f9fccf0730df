/**
 * Affine instance norm: per sample and channel, y = γ·(x − mean)/√(variance + 1e-5) + β with the biased variance.
 *
 * We subtract the mean before squaring: a variance by Σx² − (Σx)² loses all its digits in float32 when the
 * offset is large. The gradient, where x̂ is the normalised input and V the number of voxels, is
 * dx = γ/σ · (dy − Σdy/V − x̂·Σ(dy·x̂)/V).
 */
import type { Tape, Tensor } from "./tape.ts";
import { product, reshape, sum } from "./shapes.ts";

const epsilon = 1e-5;

/** Normalises x (N, C, z, y, x); `scale` and `shift` (C) are γ and β. */
export function instanceNorm(tape: Tape, x: Tensor, scale: Tensor, shift: Tensor): Tensor {
  const g = tape.graph;
  const [batch, channels, ...size] = x.shape as [number, number, ...number[]];
  const voxels = product(size);
  const rows = [batch, channels, voxels];
  const mean = (value: string) => g.node("ReduceMean", [value, g.ints([2])]);
  const perChannel = (value: string) => reshape(g, value, [1, channels, 1]);

  const input = reshape(g, x.value, rows);
  const centred = g.node("Sub", [input, mean(input)]);
  const variance = mean(g.node("Mul", [centred, centred]));
  const deviation = g.node("Sqrt", [g.node("Add", [variance, g.scalar(epsilon)])]);
  const factor = g.node("Div", [perChannel(scale.value), deviation]);
  const scaled = g.node("Mul", [centred, factor]);
  const forward = g.node("Add", [scaled, perChannel(shift.value)]);

  return tape.record([x, scale, shift], reshape(g, forward, x.shape), x.shape, (upstream) => {
    const dy = reshape(g, upstream, rows);
    const total = sum(g, dy, [2], true);
    const alongInput = sum(g, g.node("Mul", [dy, centred]), [2], true);
    const perVoxel = g.scalar(1 / voxels);
    // dx = factor·dy − (factor·Σdy/V) − centred·(factor·Σ(dy·centred)/(V·σ²))
    const offset = g.node("Mul", [g.node("Mul", [factor, total]), perVoxel]);
    const spread = g.node("Div", [alongInput, g.node("Mul", [deviation, deviation])]);
    const slope = g.node("Mul", [g.node("Mul", [factor, spread]), perVoxel]);
    const first = g.node("Sub", [g.node("Mul", [dy, factor]), offset]);
    const dx = g.node("Sub", [first, g.node("Mul", [centred, slope])]);
    return [
      reshape(g, dx, x.shape),
      sum(g, g.node("Div", [alongInput, deviation]), [0, 2]),
      sum(g, total, [0, 2]),
    ];
  });
}
