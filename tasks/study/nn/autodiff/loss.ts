/**
 * Soft Dice plus cross-entropy as in MONAI's DiceCELoss (softmax, one-hot labels), and its gradient.
 *
 * Here p = softmax(logits), t is the one-hot label, and Σ runs over the voxels of one sample (or of the whole batch):
 *   dice = mean over samples and classes of 1 − (2·Σpt + 1e-5)/(Σp + Σt + 1e-5)
 *   ce   = mean over samples and voxels of −log p[label], background included
 *   loss = dice + ce
 * A class that is absent from a sample still counts in the mean.
 */
import type { Graph, Value } from "../onnx/graph.ts";
import { product, reshape, sum } from "./shapes.ts";

export interface LossOptions {
  /** Count the background as a class of the Dice part; default false. */
  readonly includeBackground?: boolean;
  /** Take the Dice sums over the whole batch; default false. */
  readonly batchDice?: boolean;
  /** Labels may be IGNORED. Such voxels add nothing to the loss and get no gradient. Default false. */
  readonly ignore?: boolean;
}

/** The label of voxels whose class is unknown; see `ignore`. */
export const IGNORED = 255;

export interface Loss {
  readonly dice: Value;
  readonly ce: Value;
  /** Gradients with respect to the logits, in the shape of the logits. */
  readonly diceGradient: Value;
  readonly ceGradient: Value;
}

const smooth = 1e-5;

/** One-hot labels (N, C, V) from uint8 labels (N, 1, z, y, x). */
export function oneHot(g: Graph, labels: Value, shape: readonly number[]): Value {
  const [batch, classes, ...size] = shape as [number, number, ...number[]];
  const flat = reshape(g, g.node("Cast", [labels], { to: 6 }), [batch, 1, product(size)]);
  const ids = g.constant(
    Int32Array.from({ length: classes }, (_, i) => i),
    [1, classes, 1],
  );
  return g.node("Cast", [g.node("Equal", [flat, ids])], { to: 1 });
}

/** Both parts of the loss; `logits` (N, C, z, y, x) has the given shape, `target` is one-hot (N, C, V). */
export function diceCrossEntropy(
  g: Graph,
  logits: Value,
  target: Value,
  shape: readonly number[],
  options: LossOptions = {},
): Loss {
  const [batch, classes, ...size] = shape as [number, number, ...number[]];
  const voxels = product(size);
  const op = (name: string, ...inputs: Value[]) => g.node(name, inputs);

  // We sum over classes by a product with ones: ReduceSum over a middle axis takes several times as long.
  const ones = g.constant(new Float32Array(classes).fill(1), [1, 1, classes]);
  const overClasses = (value: Value) => op("MatMul", ones, value);

  const z = reshape(g, logits, [batch, classes, voxels]);
  const shifted = op("Sub", z, g.node("ReduceMax", [z, g.ints([1])]));
  const exponential = op("Exp", shifted);
  const partition = overClasses(exponential);
  const p = op("Div", exponential, partition);

  // 1 at voxels that count, 0 at others; null where all count.
  const mask = options.ignore === true ? overClasses(target) : null;
  const masked = (value: Value) => (mask === null ? value : op("Mul", value, mask));
  const counted = mask === null ? null : op("Max", sum(g, mask, [0, 1, 2]), g.scalar(1));

  const agreed = overClasses(op("Mul", shifted, target));
  const entropy = op("Sub", masked(op("Log", partition)), agreed);
  const ce =
    counted === null
      ? g.node("ReduceMean", [entropy], { keepdims: 0 })
      : op("Div", sum(g, entropy, [0, 1, 2]), counted);

  const over = options.batchDice === true ? [0, 2] : [2];
  const overlap = sum(g, op("Mul", p, target), over, true);
  const extent = op("Add", sum(g, masked(p), over, true), sum(g, target, over, true));
  const numerator = op("Add", op("Add", overlap, overlap), g.scalar(smooth));
  const denominator = op("Add", extent, g.scalar(smooth));
  const ratio = op("Div", numerator, denominator);
  const weight = classWeights(g, options.batchDice === true ? 1 : batch, classes, options);
  const weighted = op("Mul", weight, op("Sub", g.scalar(1), ratio));
  const dice = sum(g, weighted, [0, 1, 2]);

  // d dice/dp = a·t + b, where a = −2w/denominator and b = w·ratio/denominator. The softmax's derivative follows.
  const perExtent = op("Div", weight, denominator);
  const a = op("Mul", perExtent, g.scalar(-2));
  const b = op("Mul", perExtent, ratio);
  const weightedP = op("Mul", p, op("Add", op("Mul", target, a), masked(b)));
  const diceGradient = op("Sub", weightedP, op("Mul", p, overClasses(weightedP)));
  const difference = op("Sub", masked(p), target);
  const ceGradient =
    counted === null ? op("Mul", difference, g.scalar(1 / (batch * voxels))) : op("Div", difference, counted);
  return {
    dice,
    ce,
    diceGradient: reshape(g, diceGradient, shape),
    ceGradient: reshape(g, ceGradient, shape),
  };
}

/** The weight in the mean of each class of one sample, shape (1, C, 1). */
function classWeights(g: Graph, samples: number, classes: number, options: LossOptions): Value {
  const first = options.includeBackground === true ? 0 : 1;
  const weights = new Float32Array(classes).fill(1 / (samples * (classes - first)));
  if (first === 1) weights[0] = 0;
  return g.constant(weights, [1, classes, 1]);
}
