/** Makes one synthetic CT and its labels. Layout, spec and id alone decide the voxels; other cases do not matter. */
import { labelTable, sourceIds, type LabelTable, type Organ } from "../labels/labels.ts";
import { createRandom } from "../random.ts";
import type { Volume } from "../volume/volume.ts";
import { structures, type Structure } from "./anatomy.ts";
import { annotate, scan, type VoxelCentres } from "./paint.ts";
import type { PhantomLayout, PhantomSpec } from "./spec.ts";
import { createPatient } from "./vary.ts";

export interface Phantom {
  readonly image: Volume<Int16Array>;
  readonly labels: Volume<Uint8Array>;
}

/**
 * Image and labels of one case.
 * @param layout seeds the randomness of the dataset
 * @param id seeds the randomness of the case
 * @param ordinal the case's number, from 1; it chooses among the spec's centres and absences
 */
export function createPhantom(
  layout: string,
  spec: PhantomSpec,
  table: LabelTable,
  id: string,
  ordinal: number,
): Phantom {
  const random = createRandom(`phantom ${spec.seed}`).fork(layout).fork(id);
  const edit = spec.edits[id] ?? {};
  const [least, most] = spec.contrast;
  const patient = createPatient(
    random.fork("patient"),
    least + (most - least) * random.fork("contrast").next(),
  );

  const protocol = random.fork("protocol");
  const jitter = 1 + 0.03 * (2 * protocol.next() - 1);
  const size = [spec.size[0], spec.size[1], spec.size[2] + protocol.int(3) - 1] as const;
  const spacing = [spec.spacing[0] * jitter, spec.spacing[1] * jitter, spec.spacing[2]].map(
    (mm) => Math.round(mm * 1000) / 1000,
  ) as [number, number, number];
  const affine = placeScan(size, spacing, spec, ordinal);

  const grid = patientGrid(size, affine, spec.scale, patient.stature);
  const absent = new Set(
    Object.entries(spec.absent)
      .filter(([, ordinals]) => ordinals.includes(ordinal))
      .flatMap(([organ]) => structuresOf(organ as Organ)),
  );
  const present = (structure: Structure): boolean => !absent.has(structure.name);
  const values = structureValues(table);

  const image = scan(patient, grid, present, spec, random.fork(`noise ${edit.image_seed ?? ""}`));
  const labels = annotate(
    patient,
    grid,
    present,
    (structure) => values.get(structure.name) ?? 0,
    spec,
    random.fork(`hand ${edit.label_seed ?? ""}`),
  );
  return { image: { data: image, size, spacing, affine }, labels: { data: labels, size, spacing, affine } };
}

/** The label table of a layout's phantoms. The corpus ("nnunet-raw") has TotalSegmentator v2's ids. */
export function phantomLabels(layout: PhantomLayout): LabelTable {
  if (layout !== "nnunet-raw") return labelTable(layout);
  return labelTable(
    Object.fromEntries(corpusOrgans.map((organ) => [sourceIds(organ, "totalsegmentator-v2")[0]!, organ])),
  );
}

/** The organs of the anatomy that are one class of TotalSegmentator v2. */
const corpusOrgans: readonly Organ[] = [
  "spleen",
  "kidney_right",
  "kidney_left",
  "gallbladder",
  "liver",
  "stomach",
  "pancreas",
  "adrenal_gland_right",
  "adrenal_gland_left",
  "esophagus",
  "trachea",
  "small_bowel",
  "duodenum",
  "colon",
  "urinary_bladder",
  "prostate",
  "heart",
  "aorta",
  "inferior_vena_cava",
  "portal_vein_and_splenic_vein",
  "femur_left",
  "femur_right",
];

/** Organ → the structures whose union it is, for organs that are not one structure. */
const unions: Partial<Record<Organ, readonly string[]>> = {
  kidney: ["kidney_left", "kidney_right"],
  adrenal_glands: ["adrenal_gland_left", "adrenal_gland_right"],
  prostate_or_uterus: ["prostate"],
  femur_left: ["femoral_head_left", "femur_shaft_left"],
  femur_right: ["femoral_head_right", "femur_shaft_right"],
};

function structuresOf(organ: Organ): readonly string[] {
  const names = unions[organ] ?? [organ];
  for (const name of names) {
    if (!structures.some((structure) => structure.name === name))
      throw new Error(`phantoms have no ${organ}`);
  }
  return names;
}

function structureValues(table: LabelTable): ReadonlyMap<string, number> {
  return new Map(
    [...table].flatMap(([value, { organ }]) =>
      structuresOf(organ).map((name): [string, number] => [name, value]),
    ),
  );
}

/** The affine of a scan. Its middle lies on the body's axis, at the height of the ordinal's centre. */
function placeScan(
  size: readonly [number, number, number],
  spacing: readonly [number, number, number],
  spec: PhantomSpec,
  ordinal: number,
): readonly number[] {
  const height = spec.centres[(ordinal - 1) % spec.centres.length]! * spec.scale;
  const sx = spec.axes.startsWith("R") ? spacing[0] : -spacing[0];
  const sy = spec.axes[1] === "A" ? spacing[1] : -spacing[1];
  const origin = (step: number, count: number, middle: number): number =>
    Math.fround(middle - (step * (count - 1)) / 2);
  return [
    ...[sx, 0, 0, origin(sx, size[0], 0)],
    ...[0, sy, 0, origin(sy, size[1], 0)],
    ...[0, 0, spacing[2], origin(spacing[2], size[2], height)],
    ...[0, 0, 0, 1],
  ];
}

function patientGrid(
  size: readonly [number, number, number],
  affine: readonly number[],
  scale: number,
  stature: readonly [number, number, number],
): VoxelCentres {
  const along = (axis: 0 | 1 | 2): Float64Array =>
    Float64Array.from(
      { length: size[axis] },
      (_, i) => (affine[5 * axis]! * i + affine[4 * axis + 3]!) / (scale * stature[axis]),
    );
  return { x: along(0), y: along(1), z: along(2) };
}
