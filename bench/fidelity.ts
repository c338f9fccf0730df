/**
 * Compares random networks, arrays and windows with torch, scikit-image and scipy (fidelity_reference.py), and shows the
 * greatest differences. Unlike golden data, it works with any seed.
 *
 *     npm run bench -- fidelity -- SEED COUNT
 *
 * Needs a Python with torch and skimage.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Tensor } from "onnxruntime-node";
import type { Triple } from "../tasks/study/arrays.ts";
import { convertModel } from "../tasks/study/inference/convert.ts";
import { slidingWindow } from "../tasks/study/inference/sliding-window.ts";
import { createSession } from "../tasks/study/nn/session.ts";
import { resampleLabelArray } from "../tasks/study/resample/labels.ts";
import { resampleImageArray, resampleLogits } from "../tasks/study/resample/nnunet.ts";
import { resize } from "../tasks/study/resample/resize.ts";
import { runPython } from "./lib/python.ts";

interface Made {
  readonly networks: readonly {
    readonly model: string;
    readonly shape: readonly number[];
    readonly about: object;
    readonly image: string;
    readonly logits: string;
  }[];
  readonly resamplings: readonly {
    readonly shape: Triple;
    readonly newShape: Triple;
    readonly separate: 0 | 1 | 2 | null;
    readonly image: string;
    readonly cubic: string;
    readonly linear: string;
    readonly labels: string;
    readonly newLabels: string;
    readonly corners1: string;
    readonly corners3: string;
  }[];
  readonly windows: readonly {
    readonly patch: Triple;
    readonly shape: Triple;
    readonly step: number;
    readonly mirrorAxes: readonly number[];
    readonly weights: 10 | 1;
    readonly image: string;
    readonly merged: string;
  }[];
}

const [seed = "1", count = "10"] = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "lq-fidelity-"));
const settings = { folder: scratch, seed: Number(seed), count: Number(count) };
const made = runPython<Made>("fidelity_reference.py", ["torch", "skimage"], settings);
if (made) {
  report("networks: logits", await networks(made.networks));
  const { cubic, linear, corners, labels } = await resamplings(made.resamplings);
  report("images by cubic splines (of values up to about 1600)", cubic);
  report("logits", linear);
  report("corner-aligned, linear and cubic", corners);
  report("labels: share of voxels that differ", labels);
  report("windows: merged", await windows(made.windows));
}
rmSync(scratch, { recursive: true });

/** Prints the greatest difference, and the input that gave it if it is above 1e-4. */
type Differences = { readonly difference: number; readonly of: unknown }[];

function report(what: string, differences: Differences): void {
  const [worst] = differences.sort((a, b) => b.difference - a.difference);
  if (!worst) return;
  console.log(`${what}: within ${worst.difference.toExponential(1)} in ${differences.length} cases`);
  if (worst.difference > 1e-4) console.log(`  ${JSON.stringify(worst.of)}`);
}

async function networks(cases: Made["networks"]): Promise<Differences> {
  const differences: Differences = [];
  for (const { model, shape, image, logits, about } of cases) {
    const out = join(scratch, `${model}-converted`);
    await convertModel(join(scratch, model), out);
    const session = await createSession(join(out, "fold_0.onnx"));
    const { output } = await session.run({ input: new Tensor("float32", floats(image), shape) });
    await session.release();
    differences.push({
      difference: greatest(output!.data as Float32Array, floats(logits)),
      of: { model, shape, ...about },
    });
  }
  return differences;
}

async function resamplings(cases: Made["resamplings"]) {
  const all = { cubic: [], linear: [], corners: [], labels: [] } as Record<
    "cubic" | "linear" | "corners" | "labels",
    Differences
  >;
  for (const each of cases) {
    const { shape, newShape, separate } = each;
    const of = { shape, newShape, separate };
    const image = floats(each.image);
    const options = { separate, result: Float64Array };
    const cubic = await resampleImageArray(image, shape, newShape, options);
    all.cubic.push({ difference: greatest(cubic, doubles(each.cubic)), of });
    const linear = await resampleLogits(image, shape, newShape, options);
    all.linear.push({ difference: greatest(linear, doubles(each.linear)), of });
    for (const order of [1, 3] as const) {
      const by = { orders: [order, order, order], alignment: "corners" } as const;
      const corners = await resize(image, shape, newShape, by, Float64Array);
      all.corners.push({
        difference: greatest(corners, doubles(each[`corners${order}`])),
        of: { ...of, order },
      });
    }
    const labels = await resampleLabelArray(new Uint8Array(bytes(each.labels)), shape, newShape, separate);
    const expected = new Uint8Array(bytes(each.newLabels));
    const wrong = expected.filter((label, i) => label !== labels[i]).length;
    all.labels.push({ difference: wrong / expected.length, of });
  }
  return all;
}

async function windows(cases: Made["windows"]): Promise<Differences> {
  const differences: Differences = [];
  for (const { image, merged, shape, ...options } of cases) {
    const voxels = options.patch[0] * options.patch[1] * options.patch[2];
    const ramp = (i: number) => i / (voxels - 1);
    const network = (patch: Float32Array) => {
      const result = new Float32Array(2 * voxels);
      patch.forEach((v, i) => {
        result[i] = v + ramp(i);
        result[voxels + i] = v * ramp(i);
      });
      return Promise.resolve(result);
    };
    const heads = await slidingWindow(floats(image), shape, network, options);
    const joined = new Float32Array(heads.flatMap((head) => [...head]));
    differences.push({ difference: greatest(joined, floats(merged)), of: { shape, ...options } });
  }
  return differences;
}

function greatest(a: ArrayLike<number>, b: ArrayLike<number>): number {
  if (a.length !== b.length) return Infinity;
  let worst = 0;
  for (let i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  return worst;
}

function bytes(file: string): ArrayBuffer {
  return new Uint8Array(readFileSync(join(scratch, file))).buffer;
}

function floats(file: string): Float32Array {
  return new Float32Array(bytes(file));
}

function doubles(file: string): Float64Array {
  return new Float64Array(bytes(file));
}
