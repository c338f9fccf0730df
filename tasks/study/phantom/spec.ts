/** What a set of phantoms is like: how many, how large, how scanned and how annotated. */

export interface PhantomSpec {
  readonly cases: number;
  readonly seed: number;
  /** Voxels along x, y, z; the number of slices varies by one from case to case. */
  readonly size: readonly [number, number, number];
  /** Millimetres along x, y, z; varies by a few per cent from case to case. */
  readonly spacing: readonly [number, number, number];
  /**
   * Size of the phantoms against life. The study's are a tenth, so that a body has a few tens of voxels at
   * spacings near the real datasets', and a tolerance in millimetres means as many voxels as it does there.
   */
  readonly scale: number;
  /** Life-size height, in millimetres of the mean anatomy, of the scan's middle; cases take them in turn. */
  readonly centres: readonly number[];
  /** Directions in which the stored axes run. */
  readonly axes: "RAS" | "LAS" | "LPS";
  /** Least and greatest share of full portal-venous enhancement. */
  readonly contrast: readonly [number, number];
  readonly noise: number;
  readonly blur: number;
  /** Annotation: offset of every contour and wobble between slices, life-size millimetres. */
  readonly grow: number;
  readonly wobble: number;
  /** Organ → the cases (counted from 1) whose patient lacks it. */
  readonly absent: Readonly<Record<string, readonly number[]>>;
  /** Case id → other seeds for its image's noise or its annotator's hand, leaving all else as it was. */
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

/** The study's phantoms: each with the order of spacings, field of view, orientation and habits of its namesake. */
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
  /** The corpus that foundation generators are trained on: abdomens and chests, in TotalSegmentator's labels. */
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

/** A layout's preset with some of its values replaced. Throws if there is none. */
export function phantomSpec(layout: string, changes: Partial<PhantomSpec> = {}): PhantomSpec {
  if (!Object.hasOwn(presets, layout)) {
    throw new Error(`there are no phantoms in the layout "${layout}"; known: ${phantomLayouts.join(", ")}`);
  }
  return { ...presets[layout as PhantomLayout], ...changes };
}
