/**
 * One AdamW step (Loshchilov and Hutter, 2019; as torch.optim.AdamW) on one flat vector of all parameters:
 *   w ← w·(1 − lr·decay);  m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²
 *   w ← w − lr·(m/(1 − β₁ᵗ))/(√(v/(1 − β₂ᵗ)) + ε)
 */
import type { Graph, Value } from "../onnx/graph.ts";

export interface AdamW {
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Decoupled from the gradient; applied to every parameter, also to norms and biases. */
  readonly weightDecay: number;
}

export const adamWDefaults: AdamW = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

export interface AdamWInputs {
  readonly weights: Value;
  readonly gradient: Value;
  readonly first: Value;
  readonly second: Value;
  /** Scalars: learning rate, 1 − β₁ᵗ, 1 − β₂ᵗ. */
  readonly learningRate: Value;
  readonly correction1: Value;
  readonly correction2: Value;
}

/** Takes vectors of all parameters (P) and returns them after the step; `first` and `second` are the moments m and v. */
export function adamW(g: Graph, options: AdamW, x: AdamWInputs) {
  const op = (name: string, ...inputs: Value[]) => g.node(name, inputs);
  const { beta1, beta2, epsilon, weightDecay } = options;
  const blend = (old: Value, beta: number, value: Value) =>
    op("Add", op("Mul", old, g.scalar(beta)), op("Mul", value, g.scalar(1 - beta)));

  const first = blend(x.first, beta1, x.gradient);
  const second = blend(x.second, beta2, op("Mul", x.gradient, x.gradient));
  const shrink = op("Sub", g.scalar(1), op("Mul", x.learningRate, g.scalar(weightDecay)));
  const size = op("Add", op("Sqrt", op("Div", second, x.correction2)), g.scalar(epsilon));
  const move = op("Mul", x.learningRate, op("Div", op("Div", first, x.correction1), size));
  return { weights: op("Sub", op("Mul", x.weights, shrink), move), first, second };
}
