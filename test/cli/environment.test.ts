/** Problems of the machine: lq reports them clearly, and the next build is right once they are solved. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { afterEach, describe, expect, test, vi } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { canBeOthers, cliProject, type CliProject } from "../helpers/cli.ts";

const mounted: string[] = [];
afterEach(() => vi.unstubAllEnvs());
afterEach(() => mounted.splice(0).forEach((folder) => execFileSync("umount", ["-l", folder])));

/** Mounts a small disk at a folder of the project. @returns false if this user may not */
function mount(project: CliProject, path: string, size: string): boolean {
  mkdirSync(project.path(path), { recursive: true });
  const done = spawnSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", project.path(path)]);
  if (done.status === 0) mounted.push(project.path(path));
  return done.status === 0;
}

describe("a full disk", () => {
  test("fails tasks whose outputs do not fit, cuts their logs, and keeps the rest", async ({ skip }) => {
    const project = cliProject({
      "pipeline.yaml": `version: 1
rules:
  small: { cmd: "echo hi > \${out}", out: small.txt }
  large: { cmd: "yes; true", in: small.txt, out: large.txt, timeout: 1 }
`,
    });
    if (!mount(project, "cache", "1m")) skip("may not mount");
    const full = await project.lq("build");
    expect([full.code, full.stdout]).toEqual([
      1,
      expect.stringContaining("failed large: it took longer than"),
    ]);
    expect(project.read("small.txt")).toBe("hi\n");

    rmSync(project.path("small.txt"));
    // The staging folder, which is removed by now, used some of the space.
    spawnSync("dd", ["if=/dev/zero", `of=${project.path("cache/filling")}`, "bs=4096"]);
    const fuller = await project.lq("build");
    expect([fuller.code, fuller.stderr]).toEqual([2, expect.stringContaining("the disk is full")]);
    expect(fuller.stderr).not.toContain("    at ");

    rmSync(project.path("cache/filling"));
    rmSync(project.path("cache/logs"), { recursive: true });
    project.write("pipeline.yaml", project.read("pipeline.yaml").replace("yes; true", "cp ${in} ${out}"));
    expect((await project.lq("build")).code).toBe(0);
    expect(project.read("large.txt")).toBe("hi\n");
  });

  test("fails a task whose output cannot be kept, and leaves nothing of it", async ({ skip }) => {
    const project = cliProject({
      "pipeline.yaml": `version: 1\nrules:\n  large: { cmd: "head -c 700000 /dev/zero > \${out}", out: large.bin }\n`,
    });
    if (!mount(project, "cache", "1m")) skip("may not mount");
    const { code, stdout, stderr } = await project.lq("build");
    expect([code, stdout + stderr]).toEqual([1, expect.stringContaining("the disk is full")]);
    expect([project.has("large.bin"), project.has("cache/staging")]).toEqual([false, false]);
  });

  test("on stdout does not stop the build, and the exit code shows it", () => {
    const project = cliProject({
      "pipeline.yaml": `version: 1
rules:
  one: { cmd: "echo 1 > \${out}", out: one.txt }
  two: { cmd: "cp \${in} \${out}", in: one.txt, out: two.txt }
`,
    });
    for (const words of ["build", "status --json", "--help"]) {
      const { status, stderr } = spawnSync(
        "sh",
        ["-c", `"$0" "$1" ${words} > /dev/full`, process.execPath, `${HOME}dist/cli.cjs`],
        { cwd: project.root, encoding: "utf8" },
      );
      expect([words, status, stderr]).toEqual([
        words,
        2,
        expect.stringMatching(/^error: cannot write: the disk is full\n.*\n$/),
      ]);
      expect([words, project.has("two.txt")]).toEqual([words, true]);
    }
  });

  test("without space for records: outputs are kept, and the next build with space is right", async ({
    skip,
  }) => {
    const names = ["a", "b", "c", "d", "e", "f"];
    const project = cliProject({
      "pipeline.yaml": `version: 1
axes: { name: [${names.join(", ")}] }
rules:
  one: { each: [name], cmd: "echo \${name} >> runs; cat \${in} > \${out}", in: "src/\${name}", out: "one/\${name}" }
  all: { cmd: "cat \${in}* > \${out}", in: one/, out: all.txt }
`,
    });
    if (!mount(project, "cache/state", "64k")) skip("may not mount");
    const edit = (text: string): void =>
      names.forEach((name) => project.write(`src/${name}`, `${name} ${text}\n`));
    edit("0");
    expect((await project.lq("build")).code).toBe(0);
    project.write("runs", "");
    spawnSync("sh", ["-c", "cat /dev/zero > cache/state/full"], { cwd: project.root });
    const ends = new Set<number | null>();
    // Some records still fit in the last block of the log, one of them only in part.
    for (let round = 1; round < 8 && !ends.has(2); round++) {
      edit(String(round));
      const { code, stderr } = await project.lq("build", "-j", "1");
      expect([code, stderr]).toEqual([code, code === 0 ? "" : expect.stringContaining("the disk is full")]);
      expect(stderr).not.toContain("    at ");
      ends.add(code);
      for (const { state, task } of await project.json("status"))
        if (state === "fresh" && task !== "all") {
          const path = `one/${String(task).slice(-1)}`;
          expect([path, project.read(path)]).toEqual([path, project.read(path.replace("one", "src"))]);
        }
    }
    expect(ends).toContain(2);
    rmSync(project.path("cache/state/full"));
    expect((await project.lq("build")).code).toBe(0);
    expect(project.read("all.txt")).toBe(names.map((name) => project.read(`src/${name}`)).join(""));
    const runs = project.read("runs").trim().split("\n").length;
    expect(runs % names.length).toBe(0);
    expect((await project.json("build")).at(-1)).toMatchObject({ ran: 0, restored: 0, failed: 0 });
  });
});

test("removing the cache during a build ends it with a clear error; the next build is right", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
axes: { name: [a, b, c] }
rules:
  held: { each: [name], cmd: "exec 3> \${out}; echo > started; cat gate >&3", out: "held/\${name}" }
`,
  });
  project.fifo("started", "gate");
  const lq = project.start("build", "--json", "-k", "-j", "1");
  await project.received("started");
  rmSync(project.path("cache"), { recursive: true });
  project.write("gate", "open\n");
  const { code, stdout, stderr } = await lq.ended;
  expect(code).toBe(2);
  expect(stdout).toContain("was removed while it ran");
  expect(stderr).toMatch(/error: cannot .*cache\/staging.*: it was removed while lq ran/);
  expect(stderr).not.toContain("    at ");
  for (const pipe of ["started", "gate"]) {
    project.remove(pipe);
    project.write(pipe, "open\n");
  }
  expect((await project.json("build")).at(-1)).toMatchObject({ ran: 3, failed: 0 });
  expect(project.read("held/c")).toBe("open\n");
});

test("a current folder that was removed, and a pipe in the place of a file, are reported", async () => {
  const project = cliProject({ "here/keep": "" });
  const gone = spawnSync(
    "sh",
    ["-c", 'rm -r ../here; "$0" "$1" build', process.execPath, `${HOME}dist/cli.cjs`],
    {
      cwd: project.path("here"),
      encoding: "utf8",
    },
  );
  expect([gone.status, gone.stderr]).toEqual([
    2,
    expect.stringMatching(/^error: the current folder was removed\n.*-C/),
  ]);

  project.fifo("pipeline.yaml");
  const piped = await project.lq("build");
  expect([piped.code, piped.stderr]).toEqual([2, expect.stringContaining("no pipeline.yaml can be read")]);
});

test("a read-only cache: status answers, build says what is wrong", async ({ skip }) => {
  const project = cliProject({
    "pipeline.yaml": `version: 1\nrules:\n  one: { cmd: "echo 1 > \${out}", out: one.txt }\n`,
  });
  if (!mount(project, "cache", "1m")) skip("may not mount");
  expect((await project.lq("build")).code).toBe(0);
  execFileSync("mount", ["-o", "remount,ro", project.path("cache")]);
  const status = await project.lq("status");
  expect([status.code, status.stdout]).toEqual([0, "1 task fresh\n"]);
  project.write("pipeline.yaml", project.read("pipeline.yaml").replace("echo 1", "echo 2"));
  const build = await project.lq("build");
  expect([build.code, build.stderr]).toEqual([
    2,
    expect.stringMatching(/cannot open .*cache.*: the file system is read-only/),
  ]);
});

test("a read-only project that was never built: status answers, build says what is wrong", async ({
  skip,
}) => {
  const project = cliProject({});
  if (!mount(project, "disk", "1m")) skip("may not mount");
  project.write(
    "disk/pipeline.yaml",
    `version: 1\nrules:\n  one: { cmd: "echo 1 > \${out}", out: one.txt }\n`,
  );
  execFileSync("mount", ["-o", "remount,ro", project.path("disk")]);
  expect((await project.lq("-C", "disk", "status")).stdout).toContain("1 missing");
  const { code, stderr } = await project.lq("-C", "disk", "build");
  expect([code, stderr]).toEqual([
    2,
    expect.stringMatching(/cannot mkdir .*\/disk\/cache: the file system is read-only/),
  ]);
});

describe("permissions that are missing", () => {
  const NOBODY = 65534;
  /** Root is never refused, so this runs lq as another user. */
  const unprivileged = (
    project: CliProject,
    words: readonly string[] = ["build"],
  ): { code: number | null; text: string } => {
    const as = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    const { status, stdout, stderr } = spawnSync(process.execPath, [`${HOME}dist/cli.cjs`, ...words], {
      cwd: project.root,
      ...as,
    });
    return { code: status, text: `${stdout.toString()}${stderr.toString()}` };
  };
  const owned = (files: { readonly [path: string]: string }): CliProject => {
    const project = cliProject(files);
    if (process.getuid?.() === 0)
      for (const path of ["", ...Object.keys(files)]) chownSync(project.path(path), NOBODY, NOBODY);
    return project;
  };

  test("of an input", () => {
    const project = owned({
      "pipeline.yaml": `version: 1\nrules:\n  copy: { cmd: "cp \${in} \${out}", in: in.txt, out: out.txt }\n`,
      "in.txt": "1",
    });
    chmodSync(project.path("in.txt"), 0);
    const { code, text } = unprivileged(project);
    expect([code, text]).toEqual([2, expect.stringContaining("in.txt cannot be read: permission denied")]);
  });

  test("of an output's folder", () => {
    const project = owned({
      "pipeline.yaml": `version: 1\nrules:\n  x: { cmd: "echo 1 > \${out}", out: out/x }\n`,
    });
    mkdirSync(project.path("out"), { mode: 0o555 });
    const { code, text } = unprivileged(project);
    expect([code, text]).toEqual([
      1,
      expect.stringContaining("the output out/x cannot be put in place: permission denied"),
    ]);
  });

  test("of a cache that others made", () => {
    const project = owned({
      "pipeline.yaml": `version: 1\ncache: { folder: shared }\nrules:\n  x: { cmd: "echo 1 > \${out}", out: x }\n`,
    });
    mkdirSync(project.path("shared/actions"), { recursive: true, mode: 0o755 });
    chmodSync(project.path("shared/actions"), 0o700);
    if (process.getuid?.() !== 0) chmodSync(project.path("shared/actions"), 0);
    const { code, text } = unprivileged(project);
    expect([code, text]).toEqual([
      2,
      expect.stringMatching(/error: cannot stat .*shared\/actions\/.*: permission denied/),
    ]);
    expect([project.has("x"), text.includes("    at ")]).toEqual([false, false]);
  });

  test("of the project", () => {
    const project = owned({
      "pipeline.yaml": `version: 1\nrules:\n  x: { cmd: "echo 1 > \${out}", out: x }\n`,
    });
    chmodSync(project.root, 0o555);
    const { code, text } = unprivileged(project);
    chmodSync(project.root, 0o755);
    expect([code, text]).toEqual([2, expect.stringContaining("permission denied")]);
    expect(text).not.toContain("    at ");
  });

  test("of the project, for a command that only looks: it works, and changes nothing", () => {
    const project = owned({
      "pipeline.yaml": `version: 1
rules:
  list: { run: list.ts, shape: true, in: in.txt, out: list.json }
  copy: { each: { name: { in: list.json, at: "[*]" } }, cmd: "echo \${name} > \${out}", out: "out/\${name}" }
`,
      "in.txt": "a b",
      "list.ts": `import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
export default task({
  run: ({ input, output }) => writeFileSync(output(), JSON.stringify(readFileSync(input(), "utf8").split(" "))),
});
`,
      "tmp/.keep": "",
    });
    chmodSync(project.path("tmp"), 0o777);
    vi.stubEnv("TMPDIR", project.path("tmp"));
    chmodSync(project.root, 0o555);
    const [looked, dry] = [
      ["status", "--json"],
      ["build", "-n"],
    ].map((words) => unprivileged(project, words));
    chmodSync(project.root, 0o755);
    vi.unstubAllEnvs();
    expect(looked?.code, looked?.text).toBe(0);
    const tasks = [...(looked?.text ?? "").matchAll(/"(?:id|task)":"([^"]+)"/g)].map(([, id]) => id);
    expect(tasks).toEqual(["list", "copy:a", "copy:b"]);
    expect([dry?.code, dry?.text]).toEqual([0, expect.stringMatching(/copy:a[^]*copy:b/)]);
    expect(readdirSync(project.root).sort()).toEqual(["in.txt", "list.ts", "pipeline.yaml", "tmp"]);
    expect(readdirSync(project.path("tmp"))).toEqual([".keep"]);
  });
});

test.skipIf(!canBeOthers())("a user without a name or a home, as containers have them, can build", () => {
  const project = cliProject(
    {
      "pipeline.yaml": `version: 1\nrules:\n  one: { cmd: "echo 1 > \${out}", out: one.txt, slots: { gpu: optional } }\n`,
    },
    54321,
  );
  const { status, stderr } = spawnSync(
    process.execPath,
    [`${HOME}dist/cli.cjs`, "build", "--slots", "gpu=1"],
    {
      cwd: project.root,
      env: { PATH: process.env["PATH"] },
      uid: 54321,
      gid: 54321,
      encoding: "utf8",
    },
  );
  expect([status, stderr, project.read("one.txt")]).toEqual([0, "", "1\n"]);
});

test("names that are too long for the file system are reported", async () => {
  const folders = Array<string>(21).fill("d".repeat(200)).join("/");
  const project = cliProject({
    "pipeline.yaml": `version: 1\nrules:\n  long: { cmd: "echo 1 > \${out}", out: "${folders}/x" }\n`,
  });
  const ended = await project.lq("build");
  expect([ended.code, ended.stderr]).toEqual([2, expect.stringContaining("too long")]);
  expect(ended.stderr).not.toContain("    at ");
});

test("bash does not read ~/.bashrc, not even in batch jobs, containers and ssh sessions", async () => {
  const project = cliProject({
    ".bashrc": "export FROM_BASHRC=1; echo from bashrc",
    "pipeline.yaml": `version: 1
rules:
  text: { cmd: 'echo "\$(printenv FROM_BASHRC || echo no)" > \${out}', out: text.txt, tools: "echo 1" }
`,
  });
  vi.stubEnv("HOME", project.root);
  vi.stubEnv("SHLVL", undefined);
  vi.stubEnv("BASH_ENV", undefined);
  for (const client of [undefined, "::1 1 22"]) {
    vi.stubEnv("SSH_CLIENT", client);
    expect((await project.lq("build", "-f")).code).toBe(0);
    expect(project.read("text.txt")).toBe("no\n");
    expect(project.has("cache/logs/text/text.log")).toBe(false);
  }
  // The tool's output is part of the key, and it is the same without a .bashrc.
  project.remove(".bashrc");
  expect((await project.lq("build")).stdout).toContain("1 fresh");
});
