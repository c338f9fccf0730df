/** Types of three-dimensional arrays in typed arrays. */

/** Three numbers, one for each axis. Each use says whether their order is x, y, z or z, y, x. */
export type Triple = readonly [number, number, number];

/** Lengths along the axes of an array in C order (axis 2 runs fastest). For a volume the axes are z, y, x. */
export type Shape = Triple;

export type TypedArray =
  Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

/** An array of zeros with the type of another array, and with its length unless `length` is given. */
export function zerosLike<T extends TypedArray>(array: T, length = array.length): T {
  return new (array.constructor as new (length: number) => T)(length);
}
