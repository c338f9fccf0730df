/**
 * Reverse-mode differentiation while a graph is written. Every differentiable operation emits its forward nodes
 * at once and records a rule that later emits the nodes of its gradient.
 */
import type { Graph, Value } from "../onnx/graph.ts";

export interface Tensor {
  readonly value: Value;
  readonly shape: readonly number[];
  /** False for data, which needs no gradient. */
  readonly differentiable: boolean;
}

/** Emits the gradients of the inputs from the gradient of the output; null for an input that needs none. */
type Rule = (upstream: Value) => readonly (Value | null)[];

export interface Tape {
  readonly graph: Graph;
  /** Records that `output` is computed from `inputs`. */
  record(inputs: readonly Tensor[], output: Value, shape: readonly number[], rule: Rule): Tensor;
  /** Emits the backward pass from the given outputs and their gradients. Returns a function from tensor to gradient. */
  gradients(seeds: readonly { output: Tensor; gradient: Value }[]): (tensor: Tensor) => Value;
}

/** A tape that writes into `graph`. `gradients` throws an Error for a tensor that no gradient reaches. */
export function createTape(graph: Graph): Tape {
  const steps: { inputs: readonly Tensor[]; output: Value; rule: Rule }[] = [];
  return {
    graph,
    record(inputs, output, shape, rule) {
      steps.push({ inputs, output, rule });
      return { value: output, shape, differentiable: inputs.some((input) => input.differentiable) };
    },
    gradients(seeds) {
      const parts = new Map<Value, Value[]>();
      const add = (value: Value, gradient: Value) =>
        parts.set(value, [...(parts.get(value) ?? []), gradient]);
      const total = (value: Value): Value | null => {
        const list = parts.get(value);
        if (list === undefined) return null;
        const sum = list.length === 1 ? list[0]! : graph.node("Sum", list);
        parts.set(value, [sum]);
        return sum;
      };
      for (const { output, gradient } of seeds) add(output.value, gradient);
      for (const { inputs, output, rule } of steps.toReversed()) {
        const upstream = total(output);
        if (upstream === null) continue;
        for (const [i, gradient] of rule(upstream).entries()) {
          const input = inputs[i]!;
          if (gradient !== null && input.differentiable) add(input.value, gradient);
        }
      }
      return (tensor) => {
        const gradient = total(tensor.value);
        if (gradient === null) throw new Error(`no gradient reaches ${tensor.value}`);
        return gradient;
      };
    },
  };
}
