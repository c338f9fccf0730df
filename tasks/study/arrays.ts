/** Three-dimensional arrays, held in typed arrays. */

/** Three numbers, one an axis. Whether they run x, y, z or z, y, x is said where they are used. */
export type Triple = readonly [number, number, number];

/** Lengths along the axes of an array in C order: axis 2 runs fastest. A volume's are (z, y, x). */
export type Shape = Triple;

export type TypedArray =
  Int8Array | Uint8Array | Int16Array | Uint16Array | Int32Array | Uint32Array | Float32Array | Float64Array;

/** Zeros of the type of another array. */
export function zerosLike<T extends TypedArray>(array: T, length = array.length): T {
  return new (array.constructor as new (length: number) => T)(length);
}
