/**
 * The command line. Exit codes: 0 all built; 1 a task failed; 2 the request or the pipeline is wrong;
 * 130 and 143 interrupted by SIGINT and SIGTERM.
 */
import { UserError } from "./errors.ts";
import { renderDiagnostics } from "./load/render.ts";
import { createProgram } from "./cli/program.ts";
import { useColor } from "./cli/options.ts";

const WRONG = 2;

try {
  process.exitCode = await createProgram(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof UserError)) throw error;
  const text = renderDiagnostics(error.diagnostics, { root: process.cwd(), color: useColor(process.stderr) });
  process.stderr.write(`${text}\n`);
  process.exitCode = WRONG;
}
