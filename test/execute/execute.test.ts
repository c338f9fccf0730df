import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import path from "node:path";
import { afterAll, beforeEach, describe, expect, it } from "vitest";
import { graceOf, Preempted, type Attempt } from "../../src/execute/attempt.ts";
import { runCommand as runWith } from "../../src/execute/command.ts";
import { Launchers } from "../../src/execute/launcher.ts";
import { logPath } from "../../src/execute/log-path.ts";
import { tailOf } from "../../src/execute/log.ts";
import { withoutShell } from "../../src/execute/plain-command.ts";
import { renderCommand, shellQuote } from "../../src/fingerprint/render-command.ts";
import type { Rule, Template, TemplatePart } from "../../src/model/model.ts";
import { testFolder } from "../helpers/folder.ts";

const span = { file: "pipeline.yaml", start: 0, end: 0 };
const text = (value: string): TemplatePart => ({ kind: "text", text: value });
const ref = (kind: "in" | "out", role: string | null = null): TemplatePart => ({ kind, role, span });
const template = (...parts: TemplatePart[]): Template => ({ parts, span });

let root: string;
beforeEach(() => (root = testFolder()));

function attempt(change: Partial<Attempt> = {}): Attempt {
  return {
    root,
    log: path.join(root, "task.log"),
    devices: [],
    leases: [],
    cpus: 1,
    env: {},
    scratch: null,
    timeout: null,
    grace: 30,
    signal: new AbortController().signal,
    ...change,
  };
}

const launchers = new Launchers(2);
afterAll(() => launchers.close());
const runCommand = (argv: readonly string[], change: Attempt) => runWith(argv, change, {}, launchers);
const bash = (script: string): string[] => ["bash", "-euo", "pipefail", "-c", script];

describe("the time that a cancelled attempt has", () => {
  const ended = (reason: Error) => ({ signal: AbortSignal.abort(reason) });
  it.each([
    ["a batch system's signal", ended(new Preempted("SIGTERM")), 30_000],
    ["a timeout", {}, 30_000],
    ["a person's interrupt", ended(new Error("interrupted")), 2000],
  ])("after %s depends on whether the task is resumable", (_, change, milliseconds) => {
    expect(graceOf(attempt({ scratch: "/scratch", ...change }))).toBe(milliseconds);
    expect(graceOf(attempt(change))).toBe(2000);
  });
});

describe("commands", () => {
  it("quote every path for the shell, so that no name is read as code or as an option", () => {
    const names = [
      "plain.txt",
      "two words",
      "it's",
      "$(touch hacked)",
      "new\nline",
      "-rf",
      "ünï",
      "a;b",
      "*",
      "",
    ];
    for (const name of names) {
      const said = execFileSync("bash", ["-c", `printf %s ${shellQuote(name)}`], {
        encoding: "utf8",
        cwd: root,
      });
      expect(said).toBe(name === "-rf" ? "./-rf" : name);
    }
  });

  it("replace roles by paths: quoted in a string, one argument for each path in a list", () => {
    const paths = {
      in: (role: string | null) => (role === "one" ? ["a b"] : ["a b", "-c"]),
      out: () => ["o'ut"],
      scratch: null,
    };
    const string = template(text("cat "), ref("in"), text(" > "), ref("out"));
    expect(renderCommand(string, paths)).toEqual(bash(`cat 'a b' ./-c > 'o'\\''ut'`));
    const list = [
      template(text("cp")),
      template(ref("in")),
      template(text("--to="), ref("out")),
      template(ref("in", "one")),
    ];
    expect(renderCommand(list, paths)).toEqual(["cp", "a b", "./-c", "--to=o'ut", "a b"]);
  });

  it("fail when a command of a pipe fails, when a variable is not set, and by a signal", async () => {
    expect(await runCommand(bash("false | true"), attempt())).toEqual({
      kind: "failed",
      error: "exit code 1",
    });
    expect((await runCommand(bash("echo $NOT_SET_AT_ALL"), attempt())).kind).toBe("failed");
    expect(await runCommand(bash("kill -SEGV $$"), attempt())).toEqual({
      kind: "failed",
      error: "ended by SIGSEGV",
    });
  });

  it("run in a new shell when the idle one was killed", async () => {
    expect(await runCommand(bash("echo $PPID > shell"), attempt())).toEqual({ kind: "done" });
    const shell = Number(readFileSync(path.join(root, "shell"), "utf8"));
    process.kill(shell, "SIGKILL");
    await expect.poll(() => existsSync(`/proc/${shell}`)).toBe(false);
    expect(await runCommand(bash("echo $PPID > other"), attempt())).toEqual({ kind: "done" });
    expect(Number(readFileSync(path.join(root, "other"), "utf8"))).not.toBe(shell);
  });

  it("end the processes that they left running in their group", async () => {
    expect(await runCommand(bash("sleep 1000 & echo $! > pid"), attempt())).toEqual({ kind: "done" });
    const pid = Number(readFileSync(path.join(root, "pid"), "utf8"));
    const state = (): string => {
      try {
        return /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? "gone";
      } catch {
        return "gone";
      }
    };
    await expect.poll(state).toMatch(/^(gone|Z)$/);
  });

  it("keep the head and the tail of a very long output, whatever bytes it has", async () => {
    const log = path.join(root, "task.log");
    const script = `head -c 20000000 /dev/zero | tr '\\0' x; printf '\\xff\\xfe\\n'; echo the end`;
    expect(await runCommand(bash(script), attempt())).toEqual({ kind: "done" });
    expect(statSync(log).size).toBeLessThan(9 * 2 ** 20);
    const content = readFileSync(log, "latin1");
    expect(content).toMatch(/x\n\[lq: \d+ bytes left out\]\nx/);
    expect(tailOf(log).at(-1)).toBe("the end");
  });

  it("leave no log when they print nothing", async () => {
    await runCommand(bash("true"), attempt());
    expect(tailOf(path.join(root, "task.log"))).toEqual([]);
    expect(() => statSync(path.join(root, "task.log"))).toThrow("ENOENT");
  });
});

describe("a command of plain words", () => {
  it("runs without a shell; other commands, builtins of bash and changed shells need one", () => {
    const own = () => undefined;
    const only = (name: string) => (asked: string) => (asked === name ? "() { :; }" : undefined);
    expect(withoutShell(bash("cp  a/b.txt --to=c "), own)).toEqual(["cp", "a/b.txt", "--to=c"]);
    for (const script of [
      "cp a b; true",
      "A=1 cp a b",
      "cp 'a' b",
      "cp $a",
      "cp a*",
      "~/cp a",
      "a | b",
      "echo a",
      ":",
    ])
      expect(withoutShell(bash(script), own)).toEqual(bash(script));
    expect(withoutShell(bash("cp a b"), only("BASH_ENV"))).toEqual(bash("cp a b"));
    expect(withoutShell(bash("cp a b"), only("BASH_FUNC_cp%%"))).toEqual(bash("cp a b"));
    expect(withoutShell(["cp", "a b"], own)).toEqual(["cp", "a b"]);
  });

  it("sees its own environment, and nothing of the task before it", async () => {
    const env = { LQ_ONE: "a 'b'" };
    const said = (name: string, change: Partial<Attempt>) => {
      const log = path.join(root, name);
      return runCommand(bash("env"), attempt({ log, ...change })).then(() => readFileSync(log, "utf8"));
    };
    expect(await said("first", { env })).toMatch(/^LQ_ONE=a 'b'$/m);
    const second = await said("second", {});
    expect(second).not.toContain("LQ_ONE");
    expect(second.match(/^LQ_TASK=/gm)).toHaveLength(1);
    const marks = await Promise.all(["third", "fourth"].map((name) => said(name, {})));
    expect(new Set(marks.map((text) => /^LQ_TASK=.*$/m.exec(text)?.[0])).size).toBe(2);
  });

  it("prints all of its output to its own log when one shell runs many commands", async () => {
    for (let n = 0; n < 20; n++) {
      const log = path.join(root, `${n}.log`);
      expect(await runCommand(bash(`seq ${n * 1000}`), attempt({ log }))).toEqual({ kind: "done" });
      expect(tailOf(log).at(-1)).toBe(n === 0 ? undefined : String(n * 1000));
    }
  });

  it("gets its words unchanged, whatever bytes they have and whatever the locale is", async () => {
    const words = ["it's", "ünï 日本", "new\nline", "\\x41", "", "a".repeat(100_000)];
    for (const LC_ALL of ["C", "C.UTF-8"]) {
      const log = path.join(root, LC_ALL);
      const argv = ["printf", "<%s>", ...words];
      expect(await runCommand(argv, attempt({ log, env: { LC_ALL } }))).toEqual({ kind: "done" });
      expect(readFileSync(log, "utf8")).toBe(words.map((word) => `<${word}>`).join(""));
    }
  });

  it("names a program that is not there", async () => {
    const missing = { kind: "failed", error: 'there is no program "no-such-program"' };
    expect(await runCommand(["no-such-program", "x y"], attempt())).toEqual(missing);
    expect(await runCommand(bash("no-such-program x"), attempt())).toEqual(missing);
    expect(await runCommand(bash("exit 127"), attempt())).toEqual({ kind: "failed", error: "exit code 127" });
  });
});

describe("log paths", () => {
  it("stay in the folder of their rule, whatever the axis values are", () => {
    const of = (name: string, ...bindings: string[]) =>
      logPath({
        id: `${name}:${bindings.join("/")}`,
        rule: { name } as Rule,
        bindings: bindings.map((text) => ({ text, fields: null })),
      });
    expect(of("predict", "btcv", "case_03")).toBe("cache/logs/predict/btcv,case_03.log");
    expect(of("table")).toBe("cache/logs/table/table.log");
    expect(of("copy", "../../x")).toBe("cache/logs/copy/..%2F..%2Fx.log");
    expect(path.basename(of("copy", "y".repeat(500))).length).toBeLessThan(255);
    expect(of("copy", "y".repeat(500))).not.toBe(of("copy", "y".repeat(501)));
  });
});
