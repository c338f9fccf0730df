/** Starting weights: random, or those of a trained network, except its output layers. */
import { isDeepStrictEqual } from "node:util";
import type { Triple } from "../arrays.ts";
import type { DynUNetSpec } from "../nn/dynunet.ts";
import { initialise, parameters } from "../nn/parameters.ts";
import type { Start } from "./read-start.ts";

/** Settings of a training that are compared with those of the starting checkpoint. */
export interface Settings {
  /** (z, y, x) in voxels. */
  readonly patch: Triple;
  /** (x, y, z) in millimetres; null if the volumes are on another dataset's grid. */
  readonly spacing: readonly number[] | null;
  readonly normalisation: unknown;
  /** Output channel of each label name. */
  readonly labels: { readonly [name: string]: number };
}

/** The output layers, whose channels belong to the labels of one dataset. */
const isOutput = (name: string) => /^(output_block|deep_supervision_heads)\./.test(name);

/** The network of a training on CT. Its transposed convolutions have a bias only if those of the starting network have. */
export function specOf(
  network: Pick<DynUNetSpec, "kernels" | "strides" | "filters" | "heads" | "residual">,
  labels: Settings["labels"],
  start: Start | null,
): DynUNetSpec {
  const transposedBias = start?.tensors.has("upsamples.0.transp_conv.conv.bias") ?? false;
  return { inChannels: 1, outChannels: 1 + Object.keys(labels).length, ...network, transposedBias };
}

/**
 * Weights by name. `output_block` and the deep-supervision heads are always random.
 * Throws an Error that names the tensors in which the networks differ, with both shapes.
 */
export function startWeights(
  spec: DynUNetSpec,
  seed: number | string,
  start?: Start,
): Map<string, Float32Array> {
  const weights = initialise(spec, seed);
  if (start === undefined) return weights;
  requireNetwork(start, spec);
  for (const name of weights.keys()) {
    if (!isOutput(name)) weights.set(name, start.tensors.get(name)!.data);
  }
  return weights;
}

/** Throws an Error unless all tensors, except the output layers, have the names and shapes of `spec`. */
export function requireNetwork({ path, tensors }: Start, spec: DynUNetSpec): void {
  const there = inner([...tensors].map(([name, { shape }]) => [name, shape]));
  const wanted = inner(parameters(spec).map(({ name, shape }) => [name, shape]));
  const differing = [...new Set([...wanted.keys(), ...there.keys()])].filter(
    (name) => wanted.get(name)?.join() !== there.get(name)?.join(),
  );
  if (differing.length === 0) return;
  const text = (shape: readonly number[] | undefined) => (shape ? `[${shape.join(", ")}]` : "nothing");
  const lines = differing.map(
    (name) => `${name}: ${text(there.get(name))} in the file, ${text(wanted.get(name))} by \`network\``,
  );
  const more = lines.length > SHOWN ? [`and ${lines.length - SHOWN} more`] : [];
  throw new Error([`${path} is of another network:`, ...lines.slice(0, SHOWN), ...more].join("\n  "));
}

/** Number of differences in an error. */
const SHOWN = 6;

function inner(shapes: readonly (readonly [string, readonly number[]])[]) {
  return new Map(shapes.filter(([name]) => !isOutput(name)));
}

/**
 * Lines for the log: where a training starts, and which settings differ from those of the starting checkpoint.
 * Throws an Error if the normalisation differs, because the weights do not fit such intensities.
 */
export function compareSettings({ path, tensors, record }: Start, settings: Settings): string[] {
  const outputs = tensors.get("output_block.conv.conv.weight")?.shape[0] ?? 1;
  const lines = [
    `starts from ${path}`,
    `output layers start from random weights: ${names(record?.labels, outputs - 1)} there, ${names(settings.labels)} here`,
  ];
  if (record === null)
    return [...lines, "the file does not say its patch, spacing and normalisation: they are not compared"];
  if (!isDeepStrictEqual(record.normalisation, settings.normalisation)) {
    const [there, here] = [record.normalisation, settings.normalisation].map((n) => JSON.stringify(n));
    throw new Error(`${path} was trained with another normalisation: ${there}, not ${here}`);
  }
  const differing = (
    [
      ["patch (z y x)", record.patch, settings.patch],
      ["spacing (x y z, mm)", record.spacing ?? [], settings.spacing ?? []],
    ] as const
  ).filter(([, there, here]) => !near(there, here));
  return [
    ...lines,
    ...differing.map(
      ([what, there, here]) =>
        `${what}: ${there.join(" ") || "unknown"} there, ${here.join(" ") || "unknown"} here`,
    ),
  ];
}

/** Label names in the order of their channels, or the number of labels if names are not known. */
function names(labels: Settings["labels"] | undefined, count = 0): string {
  if (labels === undefined) return `${count} labels`;
  const sorted = Object.entries(labels).sort(([, a], [, b]) => a - b);
  return sorted.map(([name]) => name).join(", ") || "no labels";
}

const near = (a: readonly number[], b: readonly number[]) =>
  a.length === b.length && a.every((value, i) => Math.abs(value - b[i]!) <= 1e-3 * value);
