/**
 * How long Dice and Surface Dice of a label map against itself shifted by one voxel take, on one core:
 * the 61 labels of a 3 mm abdomen, and 15 organs of it enlarged to 488×404×180.
 *
 *     npx esbuild bench/metrics.ts --bundle --platform=node --format=esm --packages=external --outfile=cache/bench.mjs
 *     node cache/bench.mjs
 *
 * Needs ../shared beside the project. The Python reference (google-deepmind/surface-distance with numpy and scipy) takes 1.1 s and 7.4 s.
 */
import { fileURLToPath } from "node:url";
import { type MetricSettings, scoreCase } from "../tasks/lib/metrics/score.ts";
import { readLabels } from "../tasks/lib/volume/nifti.ts";
import type { LabelVolume } from "../tasks/lib/volume/volume.ts";

const file = "../shared/data/totalsegmentator/abdomen3mm_seg_ts3mm.nii.gz";
const abdomen = await readLabels(fileURLToPath(new URL(`../${file}`, import.meta.url)));
const fine = enlarge(slices(abdomen, 26, 60), [4, 4, 3]);

const every = organs([...new Set(abdomen.data)].filter((label) => label > 0));
// spleen, kidneys, gallbladder, oesophagus, liver, stomach, aorta, vena cava, pancreas, adrenals, duodenum,
// bladder, prostate: the organs of AMOS in TotalSegmentator's numbers
const amos = organs([1, 2, 3, 4, 15, 5, 6, 52, 63, 7, 8, 9, 19, 21, 22]);

report(`${Object.keys(every).length} labels of ${abdomen.size.join("×")}`, abdomen, every, 1.1);
report(`${Object.keys(amos).length} organs of ${fine.size.join("×")}`, fine, amos, 7.4);

function report(what: string, volume: LabelVolume, labels: Record<string, number>, python: number): void {
  const shifted = shift(volume);
  const settings: MetricSettings = {
    space: "native",
    units: "mm",
    variant: "surface-area",
    tolerance: 1,
    both_empty: "nan",
    distances: false,
  };
  const scores = seconds(() => scoreCase(volume, shifted, labels, settings));
  const all = seconds(() => scoreCase(volume, shifted, labels, { ...settings, distances: true }));
  console.log(
    `${what}: Dice and Surface Dice ${scores.toFixed(3)} s (Python ${python} s, ${(python / scores).toFixed(0)}×); ` +
      `with hd95 and assd ${all.toFixed(3)} s`,
  );
}

/** The shortest of five runs. */
function seconds(run: () => unknown): number {
  const times = Array.from({ length: 5 }, () => {
    const start = performance.now();
    run();
    return (performance.now() - start) / 1000;
  });
  return Math.min(...times);
}

function organs(labels: readonly number[]): Record<string, number> {
  return Object.fromEntries(labels.map((label) => [`label ${label}`, label]));
}

/** Moved by one voxel along x. */
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

/** Each voxel becomes a block of so many. */
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
