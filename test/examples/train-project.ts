/**
 * A copy of examples/train with phantoms as volumes and a network that learns them in seconds. It is apart from the other
 * projects because it makes volumes and trains; everything else of a project comes from helpers/cli.
 */
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { createPhantom, phantomLabels } from "../../tasks/study/phantom/phantom.ts";
import { phantomSpec } from "../../tasks/study/phantom/spec.ts";
import { writeNifti } from "../../tasks/study/volume/nifti.ts";
import { HOME } from "../helpers/bundle.ts";
import { cliProject, type CliProject, type JsonLine } from "../helpers/cli.ts";

/** Label values with gaps, and one that needs two bytes. */
const VALUES = [0, 700, 6, 40];

/** Params with the keys of the example's params.yaml and small values. */
export const SMALL = {
  labels: { liver: 700, "right kidney": 6, spleen: 40 },
  start: "none",
  spacing: "auto",
  patch: [16, 24, 24],
  split: { seed: 1, train: 0.8 },
  normalisation: { clip: [-160, 240], mean: 40, std: 100 },
  network: {
    kernels: [
      [3, 3, 3],
      [3, 3, 3],
      [3, 3, 3],
    ],
    strides: [
      [1, 1, 1],
      [2, 2, 2],
      [2, 2, 2],
    ],
    filters: [8, 16, 32],
    heads: 1,
    residual: true,
  },
  training: {
    seed: 1,
    epochs: 4,
    batches: 20,
    batch: 1,
    learning_rate: 0.03,
    weight_decay: 0.01,
    betas: [0.5, 0.8],
    foreground: 1,
    threads: 1,
    augmentation: {},
  },
  inference: { step: 0.5 },
  tolerance: 1,
  reading: { nonfinite: "refuse", spacing: "affine", shear: "refuse", grid_tolerance: 0.01 },
};

export const CASES = ["a", "b", "c", "d", "e"];

export async function trainProject(params: object = SMALL): Promise<CliProject> {
  const project = cliProject({});
  cpSync(`${HOME}examples/train`, project.root, { recursive: true });
  rmSync(project.path("cache"), { recursive: true, force: true });
  setParams(project, params);
  for (const folder of ["images", "labels"]) mkdirSync(project.path(folder));
  const table = phantomLabels("flare22");
  for (const [i, id] of CASES.entries()) {
    const { image, labels } = createPhantom("flare22", phantomSpec("flare22"), table, id, i + 1);
    await writeNifti(project.path(`images/${id}.nii.gz`), image);
    const data = Uint16Array.from(labels.data, (label) => VALUES[label] ?? 0);
    await writeNifti(project.path(`labels/${id}.nii.gz`), { ...labels, data });
  }
  return project;
}

/** Writes the params as JSON, which is also YAML. */
export function setParams(project: CliProject, params: object): void {
  project.write("params.yaml", JSON.stringify(params));
}

export function ran(lines: readonly JsonLine[]): string[] {
  const failed = lines.find(({ type, outcome }) => type === "task" && outcome === "failed");
  if (failed) throw new Error(`${String(failed["task"])}: ${String(failed["error"])}`);
  return lines
    .flatMap(({ type, task, outcome }) => (type === "task" && outcome === "ran" ? [String(task)] : []))
    .sort();
}
