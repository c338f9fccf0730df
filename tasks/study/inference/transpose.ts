/** Permutes the axes of arrays in C order. */
import { type Shape, type Triple, type TypedArray, zerosLike } from "../arrays.ts";

/** New axis i is old axis `order[i]`. Returns `data` itself if no axis moves. */
export function transposeArray<T extends TypedArray>(data: T, shape: Shape, order: Triple): T {
  if (order.every((axis, i) => axis === i)) return data;
  const strides: Triple = [shape[1] * shape[2], shape[2], 1];
  const [n0, n1, n2] = permute(shape, order);
  const [s0, s1, s2] = permute(strides, order);
  const result = zerosLike(data);
  let to = 0;
  for (let i = 0; i < n0; i++) {
    for (let j = 0; j < n1; j++) {
      let from = i * s0 + j * s1;
      for (let k = 0; k < n2; k++, from += s2) result[to++] = data[from]!;
    }
  }
  return result;
}

/** Value i is old value `order[i]`. */
export function permute(values: Triple, order: Triple): [number, number, number] {
  return [values[order[0]]!, values[order[1]]!, values[order[2]]!];
}

/** The order that undoes `order`. */
export function inverse(order: Triple): [number, number, number] {
  return [order.indexOf(0), order.indexOf(1), order.indexOf(2)];
}
