/**
 * The study's only source of randomness. It is seeded and gives the same numbers on every machine.
 *
 * Generator: xoshiro128** 1.1 (Blackman and Vigna, "Scrambled linear pseudorandom number generators", 2018). Its
 * 128-bit state begins as the first 16 bytes of the sha256 of the seed's text. A fork's seed is made of the parent's
 * seed and a label; numbers drawn from the parent do not change it. Work can therefore be resumed, reordered or run
 * in parallel and draws the same numbers.
 */
import { createHash } from "node:crypto";

export interface Random {
  /** Uniform in [0, 1), 32 random bits. */
  next(): number;
  /** Uniform integer in [0, n), without bias. Throws RangeError unless 1 ≤ n ≤ 2³². */
  int(n: number): number;
  /** Standard normal (Box and Muller, 1958). */
  normal(): number;
  /** An independent generator. It depends only on this one's seed and the label. */
  fork(label: number | string): Random;
}

/** A generator. Equal seeds give equal numbers; the number 1 and the text "1" are the same seed. */
export function createRandom(seed: number | string): Random {
  const digest = createHash("sha256").update(String(seed)).digest();
  let s0 = digest.readInt32LE(0);
  let s1 = digest.readInt32LE(4);
  let s2 = digest.readInt32LE(8);
  let s3 = digest.readInt32LE(12);
  let spare: number | null = null;

  /** Uniform 32-bit unsigned integer. */
  function bits(): number {
    const scrambled = Math.imul(rotate(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotate(s3, 11);
    return scrambled;
  }

  return {
    next: () => bits() / 2 ** 32,
    int(n) {
      if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
        throw new RangeError(`int(n) wants an integer from 1 to 2^32, not ${n}`);
      }
      const limit = 2 ** 32 - (2 ** 32 % n);
      let value = bits();
      while (value >= limit) value = bits();
      return value % n;
    },
    normal() {
      if (spare !== null) {
        const value = spare;
        spare = null;
        return value;
      }
      const radius = Math.sqrt(-2 * Math.log(1 - bits() / 2 ** 32));
      const angle = (2 * Math.PI * bits()) / 2 ** 32;
      spare = radius * Math.sin(angle);
      return radius * Math.cos(angle);
    },
    fork: (label) => createRandom(`${seed}\n${label}`),
  };
}

/** A copy of the list in random order (Fisher-Yates, from the last place to the first). */
export function shuffled<T>(list: readonly T[], random: Random): T[] {
  const result = [...list];
  for (let i = result.length - 1; i > 0; i--) {
    const j = random.int(i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

function rotate(value: number, count: number): number {
  return (value << count) | (value >>> (32 - count));
}
