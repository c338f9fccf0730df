/** The jobs that a resampling thread performs. */
import type { AxisPass } from "./axis-pass.ts";
import { blendSlab, type LabelBlend } from "./blend.ts";
import { type HeadLabels, labelRows } from "./heads.ts";
import { linearAxis } from "./linear.ts";
import { splineAxis } from "./spline.ts";

/** One part of a whole: the blocks of lines, slices along axis 0, or rows from `first` to before `end`. */
export type ResampleJob = { readonly first: number; readonly end: number } & (
  | { readonly kind: "axis"; readonly pass: AxisPass }
  | { readonly kind: "blend"; readonly blend: LabelBlend }
  | { readonly kind: "heads"; readonly heads: HeadLabels }
);

/** Does the job. Its result goes into the array that the job carries (`target`, `result` or `labels`). */
export function perform(job: ResampleJob): void {
  switch (job.kind) {
    case "axis":
      return (job.pass.map.taps === 4 ? splineAxis : linearAxis)(job.pass, job.first, job.end);
    case "blend":
      return blendSlab(job.blend, job.first, job.end);
    case "heads":
      return labelRows(job.heads, job.first, job.end);
  }
}
