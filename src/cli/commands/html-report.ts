/** `lq report --html FILE`: writes the project's page with one build into one file. */
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { EventFile } from "../../events/follow-events.ts";
import { buildNumbered, type Build } from "../../history/builds.ts";
import { UserError } from "../../model/errors.ts";
import { installation } from "../../system/installation.ts";
import { collect } from "../../ui/html-report/collect.ts";
import { fit } from "../../ui/html-report/fit.ts";
import { emptySize, REPORT_MARK, reportHtml } from "../../ui/html-report/html.ts";
import { Inspection } from "../../ui/inspect-project.ts";
import type { BuildState } from "../../ui/messages.ts";
import { startFolder, type CommonFlags } from "../flags.ts";
import { print } from "../print.ts";
import { refuseForeignFile, writeOwnFile } from "../write-own-file.ts";

export interface HtmlReportFlags extends CommonFlags {
  readonly build?: number;
  readonly html?: string;
  /** Bytes. */
  readonly limit?: number;
}

const DEFAULT_LIMIT = 20 << 20;

/** @param file as the user typed it */
export async function runHtmlReport(file: string, flags: HtmlReportFlags): Promise<number> {
  const { limit = DEFAULT_LIMIT } = flags;
  const path = resolve(startFolder(flags), file);
  refuseForeignFile(path, file, REPORT_MARK);
  const inspection = await Inspection.of(flags);
  const build = buildNumbered(inspection.root, flags.build);
  const code = { script: asset("app.js"), style: asset("app.css") };
  const data = collect(inspection, build, stateOf(inspection.root, build));
  const fitted = fit(data, limit - emptySize(code), `${Math.round(limit / 1024)} KiB`);
  const html = reportHtml(fitted, code);
  try {
    writeOwnFile(path, html);
  } catch (error) {
    throw new UserError({
      message: `the report cannot be written: ${(error as Error).message}`,
      hint: "its folder must exist, and you must be allowed to write there",
    });
  }
  if (flags.json === true)
    console.log(
      JSON.stringify({ type: "report", build: build.number, html: file, bytes: Buffer.byteLength(html) }),
    );
  else if (flags.quiet !== true) print(`wrote ${file}, a report of build ${build.number}`);
  return 0;
}

/** @throws UserError if the build still runs */
function stateOf(root: string, { number, summary }: Build): BuildState {
  if (summary !== null) return "ended";
  const events = new EventFile(root, number);
  events.read();
  const state = events.head === null ? "cut short" : events.state();
  if (state !== "running") return state;
  throw new UserError({
    message: `build ${number} is still running`,
    hint: "wait until it ends, or choose an earlier build with --build N; `lq ui` shows a running build",
  });
}

function asset(name: string): string {
  return readFileSync(join(installation(), "dist/ui", name), "utf8");
}
