/** Makes a report smaller than a limit: leaves out figures first, then logs, then traces, each with a sentence. */
import { logPart } from "./collect.ts";
import type { ReportData } from "./report-data.ts";

/**
 * @param limit bytes of the data. The report may stay larger if all that can be left out is left out
 * @param told the limit as the user knows it
 */
export function fit(data: ReportData, limit: number, told: string): ReportData {
  const why = `The report would be larger than ${told} with`;
  let size = sizeOf(data);
  let fitted = data;
  const figures = Object.entries(data.files).flatMap(([path, { url, text }]) => {
    const content = url ?? text;
    return content === undefined ? [] : [{ name: path, size: sizeOf(content) }];
  });
  const files = { ...data.files };
  for (const { name, size: own } of largestFirst(figures)) {
    if (size <= limit) break;
    files[name] = { omitted: `${why} this file, which has ${kibibytes(own)} here.` };
    size -= own;
    fitted = { ...fitted, files };
  }
  const logs = { ...data.logs };
  for (const { name, size: own } of largestFirst(
    Object.entries(logs).map(([task, { text }]) => ({ name: task, size: sizeOf(text) })),
  )) {
    if (size <= limit) break;
    logs[name] = logPart(`[lq: ${why} this log, which has ${kibibytes(own)}.]\n`);
    size -= own;
    fitted = { ...fitted, logs };
  }
  if (size <= limit) return fitted;
  const traces = kibibytes(sizeOf(data.traces) + sizeOf(data.steps));
  const omittedTraces = `${why} the traces of its tables and figures, which have ${traces}.`;
  return { ...fitted, traces: [], steps: [], omittedTraces };
}

function largestFirst<T extends { readonly size: number }>(all: readonly T[]): readonly T[] {
  return all.toSorted((a, b) => b.size - a.size);
}

function sizeOf(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value));
}

function kibibytes(size: number): string {
  return `${Math.ceil(size / 1024)} KiB`;
}
