import type { DynUNetSpec } from "../../tasks/study/nn/dynunet.ts";

/** A network with three levels; the kernel of the finest level has size 1 along z. */
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
