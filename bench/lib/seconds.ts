/** Measures the CPU time and the wall time of work, in seconds. */
export interface Seconds {
  readonly cpu: number;
  readonly wall: number;
}

/** Starts a clock and returns a function that gives the time since then. */
export function since(): () => Seconds {
  const [before, start] = [process.cpuUsage(), performance.now()];
  return () => {
    const { user, system } = process.cpuUsage(before);
    return { cpu: (user + system) / 1e6, wall: (performance.now() - start) / 1e3 };
  };
}

/** The shortest of several runs, which other work on the machine disturbed least, and its result. */
export async function least<T>(
  runs: number,
  work: () => T | Promise<T>,
): Promise<Seconds & { readonly result: T }> {
  let [cpu, wall] = [Infinity, Infinity];
  let result: T;
  for (let run = 0; run < runs; run++) {
    const passed = since();
    result = await work();
    const seconds = passed();
    cpu = Math.min(cpu, seconds.cpu);
    wall = Math.min(wall, seconds.wall);
  }
  return { cpu, wall, result: result! };
}

/** The median; of an even number of values the lower of the two in the middle. */
export function median(values: readonly number[]): number {
  return [...values].sort((a, b) => a - b)[(values.length - 1) >> 1]!;
}

export function text({ cpu, wall }: Seconds): string {
  return `${cpu.toFixed(2)} s of CPU, ${wall.toFixed(2)} s of time`;
}

export function ratio(ours: Seconds, theirs: Seconds): string {
  return `${(ours.cpu / theirs.cpu).toFixed(2)} (CPU), ${(ours.wall / theirs.wall).toFixed(2)} (time)`;
}
