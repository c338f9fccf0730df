/**
 * Compares whole predictions with nnU-Net's method in PyTorch, scikit-image and scipy (inference_torch.py), with the same
 * number of threads. Shows CPU and wall seconds of all windows, and of everything from the image in memory to the labels.
 * Each pair of runs is repeated; the ratio is the median. The models: one with nnU-Net's usual six levels of 32 to 320
 * channels and random weights (random_model.py), and narrow golden models of ../shared.
 *
 *     npm run bench -- inference -- m1 wide
 *
 * Without a Python that has torch and skimage, it shows only lq's times of the golden models.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { convertModel } from "../tasks/study/inference/convert.ts";
import { exportLabels } from "../tasks/study/inference/export.ts";
import type { NetworkModel } from "../tasks/study/inference/model.ts";
import { predictPreprocessed, readModel } from "../tasks/study/inference/predict-nnunet.ts";
import { preprocess } from "../tasks/study/inference/preprocess.ts";
import { resampleCrew } from "../tasks/study/resample/crew.ts";
import { readNifti } from "../tasks/study/volume/nifti.ts";
import { toCanonical } from "../tasks/study/volume/orient.ts";
import type { Volume } from "../tasks/study/volume/volume.ts";
import { runPython } from "./lib/python.ts";
import { median, type Seconds, since, text } from "./lib/seconds.ts";

const threads = 2;
const shared = fileURLToPath(new URL("../../shared", import.meta.url));

interface Subject {
  /** Folder of a model of nnU-Net v2. */
  readonly model: string;
  readonly image: string;
  readonly step: number;
  readonly pairs: number;
}

interface Predicted {
  readonly windows: Seconds;
  readonly whole: Seconds;
}

const names = process.argv.slice(2);
const scratch = mkdtempSync(join(tmpdir(), "lq-bench-"));
for (const name of names.length > 0 ? names : ["m2", "wide"]) {
  const subject = name === "wide" ? randomModel() : goldenModel(name);
  if (subject) await compare(name, subject);
}
rmSync(scratch, { recursive: true });

function goldenModel(name: string): Subject {
  const folder = join(shared, "golden/04_nnunet_v2", name);
  const { step, cases } = JSON.parse(readFileSync(join(folder, "expected.json"), "utf8")) as {
    readonly step: number;
    readonly cases: Readonly<Record<string, { readonly files: readonly string[] }>>;
  };
  const [first] = Object.values(cases);
  return { model: folder, image: join(folder, first!.files[0]!), step, pairs: 5 };
}

/** A model with windows of 64×96×96 and 25 classes, and a CT with thick slices. */
function randomModel(): Subject | null {
  const model = join(scratch, "Dataset000_Random");
  const folder = join(model, "nnUNetTrainer__nnUNetPlans__3d_fullres");
  const made = { patch: [64, 96, 96], heads: 25, seed: 1, spacing: [1.5, 1.5, 1.5], mirrorAxes: null };
  const done = runPython<true>("random_model.py", ["torch"], { ...made, folder });
  const image = join(shared, "data/ibsi-sts/STS_002_ct.nii.gz");
  return done && { model, image, step: 0.5, pairs: 3 };
}

async function compare(name: string, { model: source, image, step, pairs }: Subject): Promise<void> {
  const folder = join(scratch, `${name}-converted`);
  await convertModel(source, folder);
  const model = (await readModel(folder)) as NetworkModel;
  const read = await readNifti(image, { float32: true });
  const volume = model.reorient ? toCanonical(read) : read;
  const files = {
    image: join(scratch, "image"),
    logits: join(scratch, "logits"),
    labels: join(scratch, "labels"),
  };
  writeFileSync(files.image, Float32Array.from(volume.data));
  // Load the network first: the other side does not time that either.
  await predictPreprocessed(folder, model, emptyPatch(model), { threads });
  console.log(
    `${name}: ${volume.size.join("×")} voxels, windows of ${model.patch.join("×")}, ${threads} threads`,
  );
  const ratios: Record<keyof Predicted, Seconds[]> = { windows: [], whole: [] };
  for (let pair = 0; pair < pairs; pair++) {
    const ours = await predict(folder, model, volume, step);
    console.log(`  lq: windows ${text(ours.windows)}, whole ${text(ours.whole)}`);
    const [normalisation] = model.normalisation;
    const theirs = runPython<Predicted>("inference_torch.py", ["torch", "skimage"], {
      ...{ ...files, step, threads, patch: model.patch, mirrorAxes: model.mirrorAxes, ct: normalisation },
      ...{ checkpoints: checkpointsIn(source), modelSpacing: model.spacing },
      ...{ shape: [...volume.size].reverse(), spacing: [...volume.spacing].reverse() },
    });
    if (theirs === null) return;
    console.log(`  torch: windows ${text(theirs.windows)}, whole ${text(theirs.whole)}`);
    for (const part of ["windows", "whole"] as const) {
      ratios[part].push({
        cpu: ours[part].cpu / theirs[part].cpu,
        wall: ours[part].wall / theirs[part].wall,
      });
    }
    if (pair === 0) console.log(`  ${differences(ours, files)}`);
  }
  for (const part of ["windows", "whole"] as const) {
    const of = (kind: keyof Seconds) => median(ratios[part].map((each) => each[kind])).toFixed(2);
    console.log(`  ${part}: lq ÷ torch ${of("cpu")} (CPU), ${of("wall")} (time)`);
  }
}

async function predict(folder: string, model: NetworkModel, volume: Volume, step: number) {
  const crew = resampleCrew(threads);
  const start = since();
  const input = await preprocess(model, [volume], crew);
  const middle = since();
  const logits = await predictPreprocessed(folder, model, input, { step, threads });
  const windows = middle();
  const { data } = await exportLabels(model, logits, input, volume, crew);
  await crew.close();
  return { logits, labels: data, windows, whole: start() };
}

function emptyPatch(model: NetworkModel) {
  const [z, y, x] = model.patch;
  return { data: new Float32Array(model.channels * z * y * x), shape: model.patch };
}

function checkpointsIn(folder: string): string[] {
  const files = readdirSync(folder, { recursive: true, encoding: "utf8" }).sort();
  return files.filter((file) => file.endsWith("checkpoint_final.pth")).map((file) => join(folder, file));
}

function differences(
  { logits, labels }: { readonly logits: readonly Float32Array[]; readonly labels: ArrayLike<number> },
  files: { readonly logits: string; readonly labels: string },
): string {
  const theirs = new Float32Array(readFileSync(files.logits).buffer);
  let greatest = 0;
  for (const [k, head] of logits.entries())
    for (let i = 0; i < head.length; i++)
      greatest = Math.max(greatest, Math.abs(head[i]! - theirs[k * head.length + i]!));
  const other = readFileSync(files.labels);
  let differing = 0;
  for (let i = 0; i < other.length; i++) if (labels[i] !== other[i]) differing++;
  return `logits within ${greatest.toExponential(1)}, ${differing} of ${other.length} voxels differ`;
}
