/**
 * A 3D image in memory.
 *
 * `data` is in file order: x runs fastest, index = x + size[0]·(y + size[1]·z). Read as a C-order array its
 * axes are (z, y, x), as in nnU-Net and MONAI. World coordinates are RAS+ millimetres, as in NIfTI.
 */
export type VoxelArray =
  Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

export interface Volume<D extends VoxelArray = VoxelArray> {
  readonly data: D;
  /** Voxels along x, y, z. */
  readonly size: readonly [number, number, number];
  /** Millimetres along x, y, z. */
  readonly spacing: readonly [number, number, number];
  /** 4×4, row-major: voxel index (x, y, z, 1) to RAS+ millimetres. */
  readonly affine: readonly number[];
}

export type LabelVolume = Volume<Uint8Array | Uint16Array>;
