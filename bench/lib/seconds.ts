/** Seconds that a piece of work takes, of the processor and on the clock. */
export interface Seconds {
  readonly cpu: number;
  readonly wall: number;
}

/** The run of several that other work on the machine disturbed least, and what it gave. */
export async function least<T>(
  runs: number,
  work: () => T | Promise<T>,
): Promise<Seconds & { readonly result: T }> {
  let cpu = Infinity;
  let wall = Infinity;
  let result: T;
  for (let run = 0; run < runs; run++) {
    const [before, start] = [process.cpuUsage(), performance.now()];
    result = await work();
    const { user, system } = process.cpuUsage(before);
    cpu = Math.min(cpu, (user + system) / 1e6);
    wall = Math.min(wall, (performance.now() - start) / 1e3);
  }
  return { cpu, wall, result: result! };
}

export function text({ cpu, wall }: Seconds): string {
  return `${cpu.toFixed(2)} s of CPU, ${wall.toFixed(2)} s of time`;
}

export function ratio(ours: Seconds, theirs: Seconds): string {
  return `${(ours.cpu / theirs.cpu).toFixed(2)} (CPU), ${(ours.wall / theirs.wall).toFixed(2)} (time)`;
}
