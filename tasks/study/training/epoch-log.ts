/** Logs one line for each epoch of a training. The result does not depend on it. */
import type { StepResult } from "../nn/trainer.ts";

interface Plan {
  readonly epochs: number;
  readonly batchesPerEpoch: number;
  /** Number of steps that earlier attempts have done. */
  readonly done: number;
}

/** Called after every step with its losses and its learning rate. */
export type EpochLog = (result: StepResult, rate: number) => void;

/** Mean losses and speed count only the steps of this attempt. */
export function epochLog({ epochs, batchesPerEpoch, done }: Plan, log: (line: string) => void): EpochLog {
  const began = performance.now();
  const total = epochs * batchesPerEpoch;
  if (done > 0) log(`resumes after step ${done} of ${total}, which an earlier attempt saved`);
  let step = done;
  let seen: StepResult[] = [];
  return (result, rate) => {
    step++;
    seen.push(result);
    if (step % batchesPerEpoch !== 0) return;
    const mean = (part: keyof StepResult) =>
      (seen.reduce((sum, r) => sum + r[part], 0) / seen.length).toFixed(4);
    const speed = (step - done) / ((performance.now() - began) / 1000);
    log(
      `epoch ${step / batchesPerEpoch}/${epochs}, step ${step}/${total}: loss ${mean("loss")} ` +
        `(Dice ${mean("dice")} + cross-entropy ${mean("ce")}), learning rate ${rate.toPrecision(3)}, ` +
        `${speed.toPrecision(3)} steps/s, ${duration((total - step) / speed)} left`,
    );
    seen = [];
  };
}

function duration(seconds: number): string {
  const [hours, minutes] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60];
  if (hours > 0) return `${hours} h ${minutes} min`;
  return minutes > 0 ? `${minutes} min ${Math.round(seconds % 60)} s` : `${Math.round(seconds)} s`;
}
