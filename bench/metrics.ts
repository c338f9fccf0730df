/**
 * Scores a label map against itself shifted by one voxel (Dice, Surface Dice), and compares with numpy and scipy
 * (surface_dice_scipy.py). Shows CPU seconds on one core, for the 61 labels of a 3 mm abdomen, and for 15 of its organs
 * enlarged to 488×404×180. Both must give the same scores.
 *
 * Needs ../shared beside the project. Without a Python that has scipy, it shows only lq's times. On a similar machine,
 * google-deepmind/surface-distance itself took 1.1 s and 7.4 s.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { type MetricSettings, type OrganScores, scoreCase } from "../tasks/study/metrics/score.ts";
import { surfaceAreas } from "../tasks/study/metrics/surface-area.ts";
import { readLabels } from "../tasks/study/volume/nifti.ts";
import { runPython } from "./lib/python.ts";
import type { LabelVolume } from "../tasks/study/volume/volume.ts";

const home = fileURLToPath(new URL("..", import.meta.url));
const settings: MetricSettings = {
  space: "native",
  units: "mm",
  variant: "surface-area",
  tolerance: 1,
  both_empty: "nan",
  distances: false,
};

const abdomen = await readLabels(join(home, "../shared/data/totalsegmentator/abdomen3mm_seg_ts3mm.nii.gz"));
const fine = enlarge(slices(abdomen, 26, 60), [4, 4, 3]);
const every = [...new Set(abdomen.data)].filter((label) => label > 0);
// The organs of AMOS in TotalSegmentator's numbers: spleen, kidneys, gallbladder, oesophagus, liver, stomach, aorta,
// vena cava, pancreas, adrenals, duodenum, bladder, prostate
const amos = [1, 2, 3, 4, 15, 5, 6, 52, 63, 7, 8, 9, 19, 21, 22];

report("61 labels of 122×101×112", abdomen, every, 9);
report("15 organs of 488×404×180", fine, amos, 3);

function report(what: string, volume: LabelVolume, labels: readonly number[], runs: number): void {
  const shifted = shift(volume);
  const organs = Object.fromEntries(labels.map((label) => [String(label), label]));
  const ours = quickest(runs, () => scoreCase(volume, shifted, organs, settings));
  const all = quickest(runs, () => scoreCase(volume, shifted, organs, { ...settings, distances: true }));
  const theirs = withScipy(volume, shifted, labels, runs);
  console.log(`${what}: ${ours.seconds.toFixed(3)} s; with hd95 and assd ${all.seconds.toFixed(3)} s`);
  if (theirs === null) return;
  const ratio = theirs.seconds / ours.seconds;
  console.log(
    `  scipy: ${theirs.seconds.toFixed(2)} s, ${ratio.toFixed(1)}× as long; ${greatest(ours.result, theirs)}`,
  );
}

interface Measured {
  readonly seconds: number;
  readonly scores: { readonly [label: string]: readonly [dice: number, surfaceDice: number] | null };
}

function withScipy(a: LabelVolume, b: LabelVolume, labels: readonly number[], runs: number): Measured | null {
  const folder = mkdtempSync(join(tmpdir(), "lq-bench-"));
  const files = [a, b].map(({ data }, i) => {
    const file = join(folder, String(i));
    writeFileSync(file, data);
    return file;
  });
  const { size, spacing } = a;
  const work = { files, size, spacing, labels, runs, tolerance: 1, areas: [...surfaceAreas(spacing)] };
  const measured = runPython<Measured>("surface_dice_scipy.py", ["numpy", "scipy"], work);
  rmSync(folder, { recursive: true });
  return measured;
}

function greatest(ours: Record<string, OrganScores>, { scores }: Measured): string {
  const differences = Object.entries(scores).flatMap(([label, theirs]) => [
    Math.abs((ours[label]?.dice ?? 0) - (theirs?.[0] ?? 0)),
    Math.abs((ours[label]?.surface_dice ?? 0) - (theirs?.[1] ?? 0)),
  ]);
  return `greatest difference ${Math.max(...differences).toExponential(1)}`;
}

/** CPU seconds (user + system) of the shortest of several runs. */
function quickest<T>(runs: number, run: () => T): { readonly seconds: number; readonly result: T } {
  let seconds = Infinity;
  let result: T;
  for (let i = 0; i < runs; i++) {
    const start = process.cpuUsage();
    result = run();
    const { user, system } = process.cpuUsage(start);
    seconds = Math.min(seconds, (user + system) / 1e6);
  }
  return { seconds, result: result! };
}

/** The labels shifted by one voxel along x. */
function shift(volume: LabelVolume): LabelVolume {
  const data = volume.data.slice();
  const [nx] = volume.size;
  for (let row = 0; row < data.length; row += nx) {
    data.copyWithin(row + 1, row, row + nx - 1);
    data[row] = 0;
  }
  return { ...volume, data };
}

/** The slices from `first` on. */
function slices(volume: LabelVolume, first: number, count: number): LabelVolume {
  const [nx, ny] = volume.size;
  const data = volume.data.slice(nx * ny * first, nx * ny * (first + count));
  return { ...volume, data, size: [nx, ny, count] };
}

/** Enlarges each voxel to a block of so many voxels. */
function enlarge(volume: LabelVolume, [fx, fy, fz]: readonly [number, number, number]): LabelVolume {
  const [nx, ny, nz] = volume.size;
  const size = [nx * fx, ny * fy, nz * fz] as const;
  const data = new Uint8Array(size[0] * size[1] * size[2]);
  for (let z = 0, i = 0; z < size[2]; z++) {
    for (let y = 0; y < size[1]; y++) {
      const row = nx * (Math.floor(y / fy) + ny * Math.floor(z / fz));
      for (let x = 0; x < size[0]; x++) data[i++] = volume.data[row + Math.floor(x / fx)]!;
    }
  }
  const spacing = [volume.spacing[0] / fx, volume.spacing[1] / fy, volume.spacing[2] / fz] as const;
  return { ...volume, data, size, spacing };
}
