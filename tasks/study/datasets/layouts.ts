/**
 * The folder layout in which each dataset is distributed. Patterns match the end of a file's path below the root, so
 * that an archive's own top folder need not be removed.
 */
import type { DatasetName } from "../labels/labels.ts";

export interface Layout {
  /** Name of the label table; null if the dataset has its own in dataset.json. */
  readonly labels: DatasetName | null;
  /** Number of published cases with labels; null if there is no fixed number. */
  readonly published: number | null;
  /**
   * Match the path of an image and of a label below the root; the group `id` is the case's name. Null if imagesTr and
   * labelsTr hold volumes of any format.
   */
  readonly patterns: { readonly image: RegExp; readonly label: RegExp } | null;
  /** Matches a mask of one organ. Its folder is the case's label where `label` matches no file. */
  readonly masks?: RegExp;
  /** Whether a case belongs to the study. */
  readonly takes?: (id: string) => boolean;
  /** The expected files, for messages; # is a digit. */
  readonly files: readonly string[];
}

export type LayoutName = keyof typeof layouts;

export const layouts = {
  btcv: {
    labels: "btcv",
    published: 30,
    patterns: {
      image: below(String.raw`Training/img/img(?<id>\d{4})\.nii\.gz`),
      label: below(String.raw`Training/label/label(?<id>\d{4})\.nii\.gz`),
    },
    files: ["RawData/Training/img/img####.nii.gz", "RawData/Training/label/label####.nii.gz"],
  },
  word: {
    labels: "word",
    published: 100,
    patterns: {
      image: below(String.raw`imagesTr/(?<id>word_\d{4})\.nii\.gz`),
      label: below(String.raw`labelsTr/(?<id>word_\d{4})\.nii\.gz`),
    },
    files: ["imagesTr/word_####.nii.gz", "labelsTr/word_####.nii.gz"],
  },
  amos: {
    labels: "amos",
    published: 200,
    patterns: {
      image: below(String.raw`imagesTr/(?<id>amos_\d{4})\.nii\.gz`),
      label: below(String.raw`labelsTr/(?<id>amos_\d{4})\.nii\.gz`),
    },
    // Numbers above 500 are the MR volumes.
    takes: (id) => Number(id.slice(-4)) <= 500,
    files: ["imagesTr/amos_####.nii.gz", "labelsTr/amos_####.nii.gz"],
  },
  ct1k: {
    labels: "ct1k",
    published: 1000,
    // The images lie in three archives, and 62 of them have no public mask.
    patterns: {
      image: below(String.raw`(?<id>Case_\d{5})_0000\.nii\.gz`),
      label: below(String.raw`(?<id>Case_\d{5})\.nii\.gz`),
    },
    files: [
      "Case_#####_0000.nii.gz (in any folders, all three image parts)",
      "Case_#####.nii.gz (the masks)",
    ],
  },
  abdomenatlas: {
    labels: "abdomenatlas",
    published: 5195,
    patterns: {
      image: below(String.raw`(?<id>BDMAP_\d{8})/ct\.nii\.gz`),
      label: below(String.raw`(?<id>BDMAP_\d{8})/combined_labels\.nii\.gz`),
    },
    masks: below(String.raw`(?<id>BDMAP_\d{8})/segmentations/[^/]+\.nii\.gz`),
    files: [
      "BDMAP_########/ct.nii.gz",
      "BDMAP_########/combined_labels.nii.gz, or BDMAP_########/segmentations/ORGAN.nii.gz",
    ],
  },
  segthor: {
    labels: "segthor",
    published: 40,
    patterns: {
      image: below(String.raw`train/(?<id>Patient_\d{2})/\k<id>\.nii\.gz`),
      label: below(String.raw`train/(?<id>Patient_\d{2})/GT\.nii\.gz`),
    },
    files: ["train/Patient_##/Patient_##.nii.gz", "train/Patient_##/GT.nii.gz"],
  },
  flare22: {
    labels: "flare22",
    published: 50,
    patterns: {
      image: below(String.raw`FLARE22_LabeledCase50/images/(?<id>FLARE22_Tr_\d{4})_0000\.nii\.gz`),
      label: below(String.raw`FLARE22_LabeledCase50/labels/(?<id>FLARE22_Tr_\d{4})\.nii\.gz`),
    },
    files: [
      "Training/FLARE22_LabeledCase50/images/FLARE22_Tr_####_0000.nii.gz",
      "Training/FLARE22_LabeledCase50/labels/FLARE22_Tr_####.nii.gz",
    ],
  },
  flare21: {
    labels: "flare21",
    published: 361,
    patterns: {
      image: below(String.raw`imagesTr/(?<id>train_\d{3})(_0000)?\.nii\.gz`),
      label: below(String.raw`labelsTr/(?<id>train_\d{3})\.nii\.gz`),
    },
    files: ["imagesTr/train_###_0000.nii.gz (or without _0000)", "labelsTr/train_###.nii.gz"],
  },
  "nnunet-raw": {
    labels: null,
    published: null,
    patterns: null,
    files: ["imagesTr/CASE_0000.nii.gz", "labelsTr/CASE.nii.gz (or .nrrd, .mha, …)", "dataset.json"],
  },
} as const satisfies Record<string, Layout>;

/**
 * The layout with that name.
 * @throws Error that lists the known names
 */
export function layoutOf(name: string): Layout {
  if (Object.hasOwn(layouts, name)) return layouts[name as LayoutName];
  throw new Error(`no layout is called "${name}"; known: ${Object.keys(layouts).join(", ")}`);
}

function below(pattern: string): RegExp {
  return new RegExp(`(?:^|/)${pattern}$`);
}
