/** Describes a set of phantoms: number, size, scanner and annotator. */

export interface PhantomSpec {
  readonly cases: number;
  readonly seed: number;
  /** Voxels along x, y, z. The number of slices varies by one from case to case. */
  readonly size: readonly [number, number, number];
  /** Millimetres along x, y, z. In-plane spacing varies by up to 3 % from case to case. */
  readonly spacing: readonly [number, number, number];
  /**
   * Size of the phantoms as a share of life size. The study's are a tenth. A body then has a few tens of voxels at
   * spacings near the real ones, and a tolerance in millimetres is as many voxels as in the real datasets.
   */
  readonly scale: number;
  /** Heights (z of the mean anatomy, life-size millimetres) of the scans' middles. Cases take them in turn. */
  readonly centres: readonly number[];
  /** The directions in which the stored axes run. */
  readonly axes: "RAS" | "LAS" | "LPS";
  /** Least and greatest share of full portal-venous enhancement. */
  readonly contrast: readonly [number, number];
  readonly noise: number;
  readonly blur: number;
  /** The annotator's offset of every contour, and its deviation between slices, in life-size millimetres. */
  readonly grow: number;
  readonly wobble: number;
  /** Organ → the numbers (from 1) of the cases whose patient does not have it. */
  readonly absent: Readonly<Record<string, readonly number[]>>;
  /** Case id → another seed for its image's noise or its annotator's offsets. All else stays the same. */
  readonly edits: Readonly<Record<string, { readonly image_seed?: number; readonly label_seed?: number }>>;
}

const usual = {
  cases: 10,
  seed: 2024,
  scale: 0.1,
  contrast: [0.94, 1.04],
  noise: 10,
  blur: 0.35,
  grow: 0,
  wobble: 0.6,
  absent: {},
  edits: {},
} satisfies Partial<PhantomSpec>;

/** The study's phantoms. Spacing, field of view, orientation and annotation resemble those of the real dataset. */
const presets = {
  btcv: {
    ...usual,
    size: [32, 24, 16],
    spacing: [1.15, 1.15, 1.9],
    centres: [50],
    axes: "LAS",
    absent: { gallbladder: [3, 8] },
  },
  word: {
    ...usual,
    size: [32, 24, 20],
    spacing: [1.18, 1.18, 2.1],
    centres: [-36],
    axes: "LPS",
    grow: 0.5,
  },
  amos: {
    ...usual,
    size: [30, 24, 19],
    spacing: [1.22, 1.22, 2.35],
    centres: [-34],
    axes: "LAS",
    contrast: [0.9, 1.05],
    noise: 12,
    wobble: 1,
    absent: { gallbladder: [5], prostate_or_uterus: [7] },
  },
  ct1k: {
    ...usual,
    size: [32, 24, 16],
    spacing: [1.12, 1.12, 1.8],
    centres: [55],
    axes: "LPS",
    contrast: [0.9, 1.05],
    grow: -0.5,
    absent: { spleen: [6] },
  },
  abdomenatlas: {
    ...usual,
    size: [36, 28, 18],
    spacing: [1.04, 1.02, 1.65],
    centres: [55],
    axes: "RAS",
    contrast: [0.9, 1.05],
    grow: 0.8,
    wobble: 0.3,
  },
  segthor: {
    ...usual,
    size: [32, 24, 16],
    spacing: [1.2, 1.2, 1.7],
    centres: [215],
    axes: "LPS",
    contrast: [0.85, 1.05],
  },
  flare22: {
    ...usual,
    size: [32, 24, 16],
    spacing: [1.15, 1.15, 1.9],
    centres: [55],
    axes: "RAS",
  },
  flare21: {
    ...usual,
    size: [32, 24, 16],
    spacing: [1.15, 1.15, 1.9],
    centres: [55],
    axes: "RAS",
  },
  /** The corpus that foundation generators are trained on: abdomens and chests with TotalSegmentator's labels. */
  "nnunet-raw": {
    ...usual,
    size: [32, 24, 24],
    spacing: [1.2, 1.2, 1.95],
    centres: [-35, 105],
    axes: "RAS",
    contrast: [0.88, 1.06],
  },
} satisfies Record<string, PhantomSpec>;

export type PhantomLayout = keyof typeof presets;

export const phantomLayouts = Object.keys(presets) as PhantomLayout[];

/**
 * A layout's preset, with the values of `changes` instead of its own.
 * @throws Error if the layout has no preset
 */
export function phantomSpec(layout: string, changes: Partial<PhantomSpec> = {}): PhantomSpec {
  if (!Object.hasOwn(presets, layout)) {
    throw new Error(`there are no phantoms in the layout "${layout}"; known: ${phantomLayouts.join(", ")}`);
  }
  return { ...presets[layout as PhantomLayout], ...changes };
}
