/** Scores a predicted label map against a reference, all labels at once. */
import { z } from "zod";
import { requireSameGrid } from "../volume/geometry.ts";
import type { LabelVolume } from "../volume/volume.ts";
import { withinReferenceSlices } from "./reference-slices.ts";
import { MOST_SLOTS, slotGrids } from "./slots.ts";
import { boundaryVoxels, surfaceElements } from "./surface.ts";
import { type Spacing, surfaceAreas } from "./surface-area.ts";
import { surfaceScores } from "./surface-scores.ts";
import { toleranceOf } from "./tolerances.ts";

const distance = z.number().nonnegative();

export const metricSettings = z.strictObject({
  /**
   * The grid on which to score: the reference's own, or one that both volumes were resampled to. The rule that scores
   * must give volumes on that grid.
   */
  space: z.enum(["native", "resampled"]).default("native"),
  /** Unit of the tolerance and of distances; in voxels, every voxel is 1×1×1. */
  units: z.enum(["mm", "voxel"]).default("mm"),
  /** surface-area: DeepMind's surface elements, weighted by area. voxel-count: boundary voxels (MONAI's default). */
  variant: z.enum(["surface-area", "voxel-count"]).default("surface-area"),
  /** The tolerance of Surface Dice: one for all organs, or one for each. */
  tolerance: z
    .union([distance, z.record(z.string(), distance)], {
      error: "expected a number of 0 or more (without a unit), or such a number for each label",
    })
    .default(1),
  /** Dice and Surface Dice of an organ that neither volume has; "nan" leaves them undefined. */
  both_empty: z
    .union([z.literal("nan"), z.literal(0), z.literal(1)], { error: "expected nan, 0 or 1" })
    .default("nan"),
  /** Organs that are scored only in the slices in which the reference has them, without the last one (FLARE22). */
  reference_slices: z.array(z.string()).optional(),
  /** An organ whose Dice is below this gets a Surface Dice of 0 (FLARE22 and FLARE23: 0.2). */
  least_dice: z.number().min(0).max(1).optional(),
  /** Whether to compute hd95 and assd, which take most of the time. */
  distances: z.boolean().default(true),
});

export type MetricSettings = z.infer<typeof metricSettings>;

/** Fractions of 1, and distances in the unit of the settings; null where undefined. */
export interface OrganScores {
  /** 2·|A ∩ B| / (|A| + |B|). */
  readonly dice: number | null;
  /** Share of both surfaces that lies within the tolerance of the other surface. */
  readonly surface_dice: number | null;
  /** 95th percentile of surface distances weighted by area; the greater of both directions. Null if one is empty. */
  readonly hd95: number | null;
  /** Mean surface distance over both surfaces together, weighted by area. Null if one is empty. */
  readonly assd: number | null;
}

/**
 * The scores of each organ.
 * @param labels organ → label value (1 to 65535); organs may share a value
 * @throws Error if the volumes are not on the same grid (sizes differ, or voxels lie more than 0.01 of a voxel apart), or
 *   if an organ has no tolerance
 *
 * References: google-deepmind/surface-distance (variant surface-area), Project-MONAI/MONAI SurfaceDiceMetric
 * (voxel-count); assd as in Metrics Reloaded (Maier-Hein et al. 2024), the mean over both surfaces together.
 */
export function scoreCase<Organ extends string>(
  reference: LabelVolume,
  prediction: LabelVolume,
  labels: Readonly<Record<Organ, number>>,
  settings: MetricSettings,
): Record<Organ, OrganScores> {
  requireSameGrid({ name: "reference", ...reference }, { name: "prediction", ...prediction });
  const spacing: Spacing = settings.units === "mm" ? reference.spacing : [1, 1, 1];
  const find = settings.variant === "surface-area" ? surfaceElements : boundaryVoxels;
  const areas = settings.variant === "surface-area" ? surfaceAreas(spacing) : new Float64Array(256).fill(1);
  const organs = Object.entries(labels) as [Organ, number][];
  const none = settings.both_empty === "nan" ? null : settings.both_empty;
  const scores = new Map<Organ, OrganScores>();

  const limited = organs.flatMap(([organ, label]) =>
    settings.reference_slices?.includes(organ) ? label : [],
  );
  const scored = withinReferenceSlices(reference, prediction, limited);
  const distinct = [...new Set(organs.map(([, label]) => label))];
  for (let first = 0; first < distinct.length; first += MOST_SLOTS) {
    const group = distinct.slice(first, first + MOST_SLOTS);
    const grids = slotGrids(scored.reference, scored.prediction, group);
    const references = find(grids.reference, group.length);
    const predictions = find(grids.prediction, group.length);
    for (const [organ, label] of organs) {
      const slot = group.indexOf(label) + 1;
      if (slot === 0) continue;
      const inReference = grids.counts.reference[slot]!;
      const inPrediction = grids.counts.prediction[slot]!;
      if (inReference + inPrediction === 0) {
        scores.set(organ, { dice: none, surface_dice: none, hd95: null, assd: null });
        continue;
      }
      const dice = (2 * grids.counts.both[slot]!) / (inReference + inPrediction);
      const surfaces = surfaceScores(references[slot]!, predictions[slot]!, {
        areas,
        spacing,
        tolerance: toleranceOf(organ, settings.tolerance),
        distances: settings.distances,
      });
      const tooLittle = dice < (settings.least_dice ?? 0);
      scores.set(organ, { dice, ...surfaces, ...(tooLittle && { surface_dice: 0 }) });
    }
  }
  return Object.fromEntries(organs.map(([organ]) => [organ, scores.get(organ)])) as Record<
    Organ,
    OrganScores
  >;
}
