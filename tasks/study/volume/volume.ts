/**
 * A 3D image in memory.
 *
 * `data` is in file order: x runs fastest, index = x + size[0]·(y + size[1]·z). As an array in C order its axes are
 * (z, y, x), as in nnU-Net and MONAI. World coordinates are RAS+ millimetres, as in NIfTI.
 */
import type { Triple, TypedArray } from "../arrays.ts";

export type VoxelArray = TypedArray;

/** Voxels along x, y, z. */
export type Size = Triple;

export interface Volume<D extends VoxelArray = VoxelArray> {
  readonly data: D;
  readonly size: Size;
  /** Millimetres along x, y, z. */
  readonly spacing: Triple;
  /** Row-major 4×4 matrix, from a voxel index (x, y, z, 1) to RAS+ millimetres. */
  readonly affine: readonly number[];
}

/** The places of a volume's voxels. */
export type Grid = Omit<Volume, "data">;

export type LabelVolume = Volume<Uint8Array | Uint16Array>;
