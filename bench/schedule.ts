/**
 * Compares the scheduler with a lower bound for every schedule, on 1 to 64 GPUs. The simulator of `lq plan`
 * (src/schedule/simulate.ts) plays the paper's full scale with durations from a seeded model (bench/full-scale.ts).
 *
 *     npx esbuild bench/schedule.ts --bundle --platform=node --format=esm --packages=external --outfile=cache/bench.mjs
 *     node cache/bench.mjs
 *
 * Results: bench/SCHEDULE.md.
 */
import { simulate } from "../src/schedule/simulate.ts";
import { HOUR, machine, studyAtFullScale, TRAIN } from "./full-scale.ts";

const jobs = studyAtFullScale(1);
const trainings = jobs.filter(({ slots }) => slots === TRAIN).length;
console.log(`${jobs.length} tasks, ${trainings} of them trainings\n`);
console.log("| GPUs | makespan h | critical path h | work / slots h | makespan / bound | simulated in s |");
console.log("| ---: | ---: | ---: | ---: | ---: | ---: |");
for (const gpus of [1, 2, 4, 8, 16, 24, 32, 48, 64]) {
  const started = performance.now();
  const { makespan, criticalPath, evenly } = simulate(
    {
      tasks: jobs,
      dependencies: ({ after }) => after,
      seconds: (job) => job.seconds,
      slots: (job) => job.slots,
    },
    machine(gpus),
  );
  const bound = Math.max(criticalPath.seconds, evenly);
  const cells = [makespan, criticalPath.seconds, evenly].map((seconds) => (seconds / HOUR).toFixed(1));
  const took = ((performance.now() - started) / 1000).toFixed(1);
  console.log(`| ${gpus} | ${cells.join(" | ")} | ${(makespan / bound).toFixed(3)} | ${took} |`);
}
