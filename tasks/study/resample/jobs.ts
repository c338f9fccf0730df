/** What threads that resample can be asked to do. */
import { blendSlab, type LabelBlend } from "./blend.ts";
import { type HeadLabels, labelRows } from "./heads.ts";
import { type AxisPass, resampleAxis } from "./spline.ts";

/** A part of one thing: blocks of lines, slices along axis 0, or rows, from `first` to before `end`. */
export type ResampleJob = { readonly first: number; readonly end: number } & (
  | { readonly kind: "axis"; readonly pass: AxisPass }
  | { readonly kind: "blend"; readonly blend: LabelBlend }
  | { readonly kind: "heads"; readonly heads: HeadLabels }
);

/** Writes into the job's own result. */
export function perform(job: ResampleJob): void {
  switch (job.kind) {
    case "axis":
      return resampleAxis(job.pass, job.first, job.end);
    case "blend":
      return blendSlab(job.blend, job.first, job.end);
    case "heads":
      return labelRows(job.heads, job.first, job.end);
  }
}
