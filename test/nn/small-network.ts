import type { DynUNetSpec } from "../../tasks/study/nn/dynunet.ts";

/** A network of three levels; the finest does not look along z. */
export function smallNetwork(
  filters: DynUNetSpec["filters"],
  more: Partial<Omit<DynUNetSpec, "filters" | "kernels" | "strides">> = {},
): DynUNetSpec {
  return {
    inChannels: 1,
    outChannels: 3,
    kernels: [
      [1, 3, 3],
      [3, 3, 3],
      [3, 3, 3],
    ],
    strides: [
      [1, 1, 1],
      [1, 2, 2],
      [2, 2, 2],
    ],
    filters,
    heads: 0,
    residual: false,
    transposedBias: false,
    ...more,
  };
}
