/**
 * MT19937 (Matsumoto and Nishimura, "Mersenne Twister", ACM TOMACS 8, 1998), the generator behind numpy's RandomState.
 * One 32-bit number seeds it, by the initialisation of 2002. Use it only where a result must equal numpy's, and
 * `random.ts` everywhere else.
 */
export function createMersenneTwister(seed: number): () => number {
  const length = 624;
  const state = new Uint32Array(length);
  state[0] = seed;
  for (let i = 1; i < length; i++) {
    const before = state[i - 1]! ^ (state[i - 1]! >>> 30);
    state[i] = Math.imul(1812433253, before) + i;
  }
  let place = length;

  function twist(): void {
    for (let i = 0; i < length; i++) {
      const joined = (state[i]! & 0x80000000) | (state[(i + 1) % length]! & 0x7fffffff);
      state[i] = state[(i + 397) % length]! ^ (joined >>> 1) ^ (joined & 1 ? 0x9908b0df : 0);
    }
    place = 0;
  }

  /** Uniform 32-bit unsigned integer. */
  return () => {
    if (place === length) twist();
    let bits = state[place++]!;
    bits ^= bits >>> 11;
    bits ^= (bits << 7) & 0x9d2c5680;
    bits ^= (bits << 15) & 0xefc60000;
    bits ^= bits >>> 18;
    return bits >>> 0;
  };
}
