/**
 * Limits organs to the slices in which the reference has them, for organs that annotators label only along part of the
 * body. The last such slice does not count, as in the source.
 * Source: JunMa11/FLARE FLARE22/Evaluation (aorta, inferior vena cava and oesophagus).
 */
import type { LabelVolume } from "../volume/volume.ts";

/**
 * Both volumes, with the voxels of `labels` outside their slices set to 0. A label's slices (z, as stored) run from the
 * first one in which the reference has it to before the last one. A label that the reference does not have is kept.
 */
export function withinReferenceSlices(
  reference: LabelVolume,
  prediction: LabelVolume,
  labels: readonly number[],
): { readonly reference: LabelVolume; readonly prediction: LabelVolume } {
  if (labels.length === 0) return { reference, prediction };
  const plane = reference.size[0] * reference.size[1];
  // By label: the first slice in which it counts, and the slice before which it stops counting.
  const first = new Uint16Array(65536);
  const end = new Uint16Array(65536).fill(65535);
  for (const label of labels) {
    const at = reference.data.indexOf(label);
    if (at < 0) continue;
    first[label] = Math.floor(at / plane);
    end[label] = Math.floor(reference.data.lastIndexOf(label) / plane);
  }
  const limited = (volume: LabelVolume): LabelVolume => ({
    ...volume,
    data: volume.data.map((label, i) => {
      const slice = Math.floor(i / plane);
      return slice >= first[label]! && slice < end[label]! ? label : 0;
    }),
  });
  return { reference: limited(reference), prediction: limited(prediction) };
}
