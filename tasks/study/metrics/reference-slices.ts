/**
 * Some organs are labelled only part of the way along the body: they are scored where the reference has them.
 * Source: JunMa11/FLARE FLARE22/Evaluation (aorta, inferior vena cava and oesophagus), which leaves the last slice out.
 */
import type { LabelVolume } from "../volume/volume.ts";

/**
 * Both volumes without the voxels of `labels` that lie outside the slices (z, as stored) from the first one that the
 * reference has of the label to before its last one. A label that the reference has nowhere stays as it is.
 */
export function withinReferenceSlices(
  reference: LabelVolume,
  prediction: LabelVolume,
  labels: readonly number[],
): { readonly reference: LabelVolume; readonly prediction: LabelVolume } {
  if (labels.length === 0) return { reference, prediction };
  const plane = reference.size[0] * reference.size[1];
  // From which slice on a label counts, and from which on no more.
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
