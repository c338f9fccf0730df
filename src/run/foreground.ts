/**
 * Runs one task in this terminal, as a build would run it. The terminal shows its output. Nothing is recorded unless
 * the request asks for it.
 */
import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { taskEnvironment } from "../execute/environment.ts";
import { Executor } from "../execute/execute.ts";
import { WorkerPool } from "../execute/pool.ts";
import { followLines } from "../execute/follow-lines.ts";
import { programOf, type Program } from "../execute/program.ts";
import { StagingArea, type Staging } from "../execute/staging.ts";
import { TaskReports } from "../execute/task-reports.ts";
import type { Recipe } from "../fingerprint/recipe.ts";
import { loadConfig } from "../load/config.ts";
import { UserError } from "../model/errors.ts";
import { SCRATCH, STAGING } from "../model/layout.ts";
import type { Task } from "../model/model.ts";
import { Recorder } from "../record/record.ts";
import { discoverCapacity } from "../schedule/capacity.ts";
import { canClaim } from "../schedule/claims.ts";
import { Leases } from "../schedule/leases.ts";
import { Slots, type Grant } from "../schedule/slots.ts";
import type { Session } from "../session/session.ts";
import type { Traces } from "./audit.ts";
import { shellQuote } from "../system/quote.ts";
import { inheritedEnvironment } from "../system/inherited-environment.ts";
import { RUN } from "../system/process-tree.ts";

export interface ForegroundRequest {
  readonly task: Task;
  /** Run the task, open a shell in its place, or print a script that runs it. */
  readonly how: "run" | "shell" | "print";
  /** Record the run as a build does. The caller holds the project's lock. */
  readonly record: boolean;
  /** With `record`: replace outputs that were edited or not made by lq. */
  readonly overwrite: boolean;
  readonly jobs?: number | undefined;
  readonly slots?: string | undefined;
  /** Run the task under strace. What the task prints then goes to stderr. */
  readonly traces?: Traces;
}

export interface ForegroundRun {
  readonly code: number;
  /** Absolute paths of the outputs that it wrote. */
  readonly outputs: readonly string[];
  /** Says which output the task did not write; null: all are there. */
  readonly missing: string | null;
  readonly recorded: boolean;
}

/** @throws UserError if an input is not there, or no device is free */
export async function runInForeground(session: Session, request: ForegroundRequest): Promise<ForegroundRun> {
  const { task, record } = request;
  const print = session.fingerprinter.fingerprint(task);
  if (print.kind === "missing")
    throw new UserError({
      message: `the input ${print.paths.join(", ")} of ${task.id} is not there`,
      hint: `lq build ${print.paths[0] ?? ""}`,
    });
  const folder = record ? join(session.root, STAGING, RUN) : mkdtempSync(join(tmpdir(), "lq-run-"));
  const staging = new StagingArea(folder).take(task.outputs);
  const scratch = record ? join(session.root, SCRATCH, print.key) : join(folder, "scratch");
  if (task.rule.resume) mkdirSync(scratch, { recursive: true });
  const { slots, leases } = await openSlots(request);
  const grant = slots.take(task.rule.slots);
  try {
    if (grant === null)
      throw new UserError({
        message: `${task.id} cannot start now: other builds use the devices that it needs`,
        hint: "wait for them, or give it devices with --slots",
      });
    const started = performance.now();
    const code = await start(
      session,
      request,
      print.recipe,
      staging,
      grant,
      task.rule.resume ? scratch : null,
    );
    const missing = request.how === "print" ? null : staging.missingOutput(task.outputs);
    const recorded = record && code === 0 && missing === null;
    const seconds = (performance.now() - started) / 1000;
    if (recorded)
      await new Recorder(session, { overwrite: request.overwrite }).recordRun({
        ...{ task, key: print.key, recipe: print.recipe, staged: staging.paths, seconds },
        log: "",
      });
    return { code, outputs: request.how === "print" ? [] : staging.paths, missing, recorded };
  } finally {
    if (grant !== null) slots.give(grant);
    leases?.close();
  }
}

async function openSlots({
  task,
  jobs,
  slots,
}: ForegroundRequest): Promise<{ readonly slots: Slots; readonly leases: Leases | null }> {
  const { groups } = loadConfig(process.env);
  const wantsDevices = task.rule.slots.gpu !== null;
  const capacity = await discoverCapacity({ jobs, slots, groups, wantsDevices, env: process.env });
  const leases = wantsDevices && capacity.devices.length > 0 && canClaim() ? new Leases() : null;
  return { slots: new Slots(capacity, leases), leases };
}

async function start(
  session: Session,
  { task, how, traces }: ForegroundRequest,
  recipe: Recipe,
  staging: Staging,
  grant: Grant,
  scratch: string | null,
): Promise<number> {
  const { root, environments } = session;
  const devices = grant.devices.map(({ device }) => device.id);
  const leases = grant.devices.flatMap(({ lease }) => lease ?? []);
  const env = taskEnvironment(devices, grant.cpu, task.env, environments.of(task.rule).variables);
  const attempt = {
    ...{ root, devices, leases, cpus: grant.cpu, env, scratch },
    log: staging.beside("log"),
    timeout: null,
    grace: task.rule.grace,
    signal: new AbortController().signal,
  };
  const { action } = task;
  if (action.kind === "run") {
    if (how !== "run")
      throw new UserError(`${task.id} runs a module inside lq, which has no command of its own`);
    const pool = new WorkerPool(root, 1, traces?.node());
    const executor = new Executor(root, session.code, environments, pool);
    const reports = new TaskReports(task.id, staging.beside("metrics"), false, () => undefined);
    const stop = followLines(attempt.log, (line) => void process.stderr.write(`${line}\n`));
    const result = await executor.run(task, recipe, staging, attempt, reports);
    await Promise.all([pool.close(), executor.close()]);
    stop();
    return result.kind === "done" ? 0 : 1;
  }
  const program = programOf(root, environments, task, action, staging, attempt);
  const variables = { ...env, ...program.own, ...named(task, program) };
  if (how === "print") {
    console.log(script(root, variables, program.argv));
    return 0;
  }
  const argv = how === "shell" ? shellWith(staging, program.argv) : program.argv;
  const held = leases.map(({ descriptor }) => descriptor);
  return traces === undefined
    ? inTerminal(argv, root, variables, ["inherit", "inherit", "inherit", ...held])
    : inTerminal(traces.wrap(argv), root, variables, ["ignore", 2, 2, ...held]);
}

/** Gives the paths as variables, `$LQ_IN_image` or `$LQ_OUT_labels`, which are shorter to type. */
function named({ inputs, outputs }: Task, { locate }: Program): { [name: string]: string } {
  const variables: { [name: string]: string } = {};
  for (const [prefix, paths] of [["LQ_IN", inputs] as const, ["LQ_OUT", outputs] as const])
    for (const path of paths) {
      const name = `${prefix}_${path.role.replace(/\W/g, "_")}`;
      variables[name] = [variables[name], locate(path)].filter(Boolean).join(" ");
    }
  return variables;
}

/** A shell script that runs the task in the same way. */
function script(
  root: string,
  variables: { readonly [name: string]: string },
  argv: readonly string[],
): string {
  const exports = Object.entries(variables)
    // Leave out functions that bash exports: the shell that reads this script inherits them.
    .filter(([name]) => /^\w+$/.test(name))
    .map(([name, value]) => `export ${name}=${shellQuote(value)}`);
  return [`cd ${shellQuote(root)}`, ...exports, argv.map(shellQuote).join(" ")].join("\n");
}

/** An interactive shell that has the command in its history. */
function shellWith(staging: Staging, argv: readonly string[]): readonly string[] {
  const file = staging.beside("shellrc");
  const command = argv[0] === "bash" && argv[3] === "-c" ? (argv[4] ?? "") : argv.map(shellQuote).join(" ");
  writeFileSync(
    file,
    `[ ! -r ~/.bashrc ] || . ~/.bashrc\nset -o history\nhistory -s -- ${shellQuote(command)}\n` +
      `echo "the task's command is in the history (arrow up); exit ends the shell" >&2\n`,
  );
  return ["bash", "--rcfile", file, "-i"];
}

/** Runs a program in this terminal. lq ignores Ctrl-C meanwhile, because the terminal sends it to the program too. */
function inTerminal(
  [program = "", ...words]: readonly string[],
  cwd: string,
  variables: { readonly [name: string]: string },
  stdio: readonly ("inherit" | "ignore" | number)[],
): Promise<number> {
  const ignore = (): void => undefined;
  process.on("SIGINT", ignore);
  return new Promise((resolve, reject) => {
    const child = spawn(program, words, {
      cwd,
      env: { ...inheritedEnvironment(), ...variables },
      stdio: [...stdio],
    });
    child.once("error", reject);
    child.once("close", (code) => {
      process.off("SIGINT", ignore);
      resolve(code ?? 1);
    });
  });
}
