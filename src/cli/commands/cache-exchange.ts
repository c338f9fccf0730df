/** `lq cache push|pull [TARGET…]`: brings results to the remote cache, or from there into the local one. */
import { fetchResults, push, type ExchangeRequest } from "../../run/exchange.ts";
import { isLive } from "../../report/is-live.ts";
import { uploadLine } from "../../report/lines.ts";
import { sizeText } from "../../system/sizes.ts";
import { hashingOptions, type CommonFlags, type Project } from "../options.ts";

export async function runExchange(
  action: "push" | "pull",
  { pipeline, cwd }: Project,
  targets: readonly string[],
  flags: CommonFlags,
): Promise<number> {
  const { json = false, quiet = false } = flags;
  const live = isLive(process.stderr) && !json && !quiet;
  const show = (text: string): void => {
    if (live) process.stderr.write(`\r\x1b[K${text}`);
  };
  const request: ExchangeRequest = {
    ...{ pipeline, cwd, targets, hashing: hashingOptions(flags) },
    notice: (text) => console.error(text),
    uploading: (left, rate) => show(uploadLine({ left, rate })),
    downloading: (done, tasks) => show(`downloading: ${done} of ${tasks} tasks`),
  };
  const result = action === "push" ? await push(request) : await fetchResults(request);
  show("");
  if (json) console.log(JSON.stringify({ type: action, ...result }));
  else if (!quiet) console.log(resultLine(result));
  return 0;
}

/** "uploaded 12 (1.5 GiB), 30 there" */
function resultLine({ bytes, ...counts }: Awaited<ReturnType<typeof push | typeof fetchResults>>): string {
  const [[first, count] = ["", 0], ...others] = Object.entries(counts);
  return [`${first} ${count} (${sizeText(bytes)})`, ...others.map(([name, each]) => `${each} ${name}`)].join(
    ", ",
  );
}
