/** The store from outside: kinds of links, verify, gc, stats, a folder shared by projects. */
import { execFileSync, spawnSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { sha256 } from "../../src/fingerprint/digest.ts";
import { clean as cleanOutputs } from "../../src/clean.ts";
import { chooseGarbage, removeGarbage } from "../../src/cache/collect.ts";
import { HOME } from "../helpers/bundle.ts";
import { canBeOthers, cliProject, type CliProject, type JsonLine } from "../helpers/cli.ts";

const RULES = `rules:
  copy:
    each: { name: { glob: "src/*.txt" } }
    cmd: "cat \${in} > \${out}"
    in: "src/\${name}.txt"
    out: "out/\${name}.txt"
  tree:
    cmd: "mkdir -p \${out}d && cp src/*.txt \${out}d/ && printf '#!/bin/sh' > \${out}run && chmod +x \${out}run"
    in: src/
    out: tree/
`;

function project(cache = ""): CliProject {
  const sources = { "src/a.txt": "alpha\n", "src/b.txt": "beta\n" };
  return cliProject({ "pipeline.yaml": `version: 1\n${cache}${RULES}`, ...sources });
}

async function build(of: CliProject, ...targets: string[]): Promise<{ ran: number; restored: number }> {
  const { ran, restored } = (await of.built(...targets)).summary;
  return { ran, restored };
}

async function clean(of: CliProject): Promise<void> {
  await cleanOutputs(of.request());
}

function objectOf(of: CliProject, content: string, folder = of.path("cache")): string {
  const digest = sha256(content);
  return join(folder, "objects", digest.slice(0, 2), digest.slice(2));
}

/** Makes everything in a store look as if it had been there for some days. */
function age(folder: string, days: number): void {
  const then = new Date(Date.now() - days * 86_400_000);
  for (const part of ["objects", "actions"])
    for (const file of filesIn(join(folder, part))) utimesSync(file, then, then);
}

function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
}

describe("kinds of links", () => {
  test("hardlink: one file with two names, read-only, also after restoring; nothing is stored twice", async () => {
    const of = project("cache: { link: hardlink }\n");
    expect(await build(of)).toEqual({ ran: 3, restored: 0 });
    const same = () => statSync(of.path("out/a.txt")).ino === statSync(objectOf(of, "alpha\n")).ino;
    expect(same()).toBe(true);
    expect(statSync(of.path("out/a.txt")).mode & 0o222).toBe(0);
    expect(statSync(of.path("tree/run")).mode & 0o111).not.toBe(0);
    await clean(of);
    expect(of.has("out/a.txt")).toBe(false);
    expect(await build(of)).toEqual({ ran: 0, restored: 3 });
    expect(same()).toBe(true);
    expect(await build(of)).toEqual({ ran: 0, restored: 0 });
  });

  test("hardlink: an edit in place is noticed, and never given out again by the cache", async () => {
    const of = project("cache: { link: hardlink }\n");
    await build(of, "out/");
    chmodSync(of.path("out/a.txt"), 0o644);
    appendFileSync(of.path("out/a.txt"), "edited\n");
    const refused = await of.lq("build", "out/");
    expect(refused.code).toBe(2);
    expect(refused.stderr).toContain("out/a.txt");
    of.remove("out/a.txt");
    expect(await build(of, "out/")).toEqual({ ran: 1, restored: 0 });
    expect(of.read("out/a.txt")).toBe("alpha\n");
  });

  test.each(["hardlink", "symlink"])(
    "%s: a content that becomes one more output is no change for who reads it",
    async (link) => {
      const of = cliProject({
        "pipeline.yaml": `version: 1
cache: { link: ${link} }
rules:
  one: { cmd: "echo same > \${out}", out: one.txt }
  reader: { cmd: "echo run >> runs; cat \${in} > \${out}; cat gate", in: one.txt, out: reader.txt }
  two: { cmd: "echo same > \${out}", out: two.txt }
`,
      });
      execFileSync("mkfifo", [of.path("gate")]);
      const lq = of.start("build", "--json", "-j", "2");
      const ended = new Set(["one", "two"]);
      while (ended.size > 0)
        for (const line of await lq.line('"outcome":"ran"'))
          ended.delete(/"task":"(\w+)","outcome"/.exec(line)?.[1] ?? "");
      expect(statSync(of.path("one.txt")).ino).toBe(statSync(of.path("two.txt")).ino);
      of.write("gate", "");
      expect((await lq.ended).code).toBe(0);
      expect(of.read("runs")).toBe("run\n");
      expect(await build(of)).toEqual({ ran: 0, restored: 0 });
    },
  );

  /** Another file system than that of temporary projects, where there is one. */
  const elsewhere = ["/dev/shm", "/run/shm"].find((folder) => {
    const stats = statSync(folder, { throwIfNoEntry: false });
    return stats !== undefined && stats.dev !== statSync(tmpdir()).dev;
  });

  test.each([
    ["hardlink", tmpdir()],
    ["symlink", tmpdir()],
    ["reflink, hardlink, symlink", tmpdir()],
    ["reflink, hardlink, symlink", elsewhere ?? tmpdir()],
  ])(
    "%s, cache in %s: links in a directory output, and more names of a file, do no harm",
    async (kinds, at) => {
      const folder = mkdtempSync(join(at, "lq-links-"));
      onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
      writeFileSync(join(folder, "outside"), "of somebody else\n", { mode: 0o600 });
      const of = cliProject({
        "pipeline.yaml": `version: 1
cache: { folder: ${folder}, link: [${kinds}] }
rules:
  one: { cmd: "echo same > \${out}", out: one.txt }
  name: { cmd: "ln \${in} \${out}", in: src/a.txt, out: name.txt }
  tree:
    cmd: |
      mkdir \${out}sub
      cp \${in} \${out}sub/run; chmod +x \${out}sub/run
      ln -s sub/run \${out}first
      ln -s run \${out}sub/link
      ln -s ${folder}/outside \${out}outside
    in: one.txt
    out: tree/
`,
        "src/a.txt": "mine\n",
      });
      const contents = () =>
        ["first", "sub/run", "sub/link", "outside"].map((name) => of.read(`tree/${name}`));
      for (const expected of [
        { ran: 3, restored: 0 },
        { ran: 0, restored: 3 },
      ]) {
        expect(await build(of)).toEqual(expected);
        expect(contents()).toEqual(["same\n", "same\n", "same\n", "of somebody else\n"]);
        expect((await of.lq("cache", "verify")).stdout).toBe("3 objects (27 B) and 3 actions verified\n");
        await clean(of);
      }
      expect(statSync(join(folder, "outside")).mode & 0o777).toBe(0o600);
      expect(statSync(of.path("src/a.txt")).mode & 0o200).not.toBe(0);
    },
  );

  test("symlink: outputs are links into the cache, and clean removes the links only", async () => {
    const of = project("cache: { link: [symlink] }\n");
    expect(await build(of)).toEqual({ ran: 3, restored: 0 });
    expect(readlinkSync(of.path("out/b.txt"))).toBe(objectOf(of, "beta\n"));
    expect(lstatSync(of.path("tree/d/a.txt")).isSymbolicLink()).toBe(true);
    expect(of.read("tree/d/a.txt")).toBe("alpha\n");
    expect((await of.lq("status")).stdout).toBe("all 3 tasks fresh\n");
    await clean(of);
    expect(of.has("out/b.txt")).toBe(false);
    expect(await build(of)).toEqual({ ran: 0, restored: 3 });
    // Without the content the output is gone too, and made again; or its link is removed.
    rmSync(objectOf(of, "beta\n"));
    expect((await of.lq("clean", "out/b.txt")).stdout).toContain("removed out/b.txt\n");
    expect(readdirSync(of.path("out"))).toEqual(["a.txt"]);
    expect(await build(of)).toEqual({ ran: 2, restored: 0 });
    rmSync(objectOf(of, "beta\n"));
    expect(await build(of)).toEqual({ ran: 2, restored: 0 });
    expect(of.read("out/b.txt")).toBe("beta\n");
  });

  test("a kind that does not work here gives way to the next, and a copy can be edited without harm", async () => {
    const of = project("cache: { link: [reflink] }\n");
    expect(await build(of)).toEqual({ ran: 3, restored: 0 });
    appendFileSync(of.path("out/a.txt"), "edited\n");
    expect((await of.lq("cache", "verify")).code).toBe(0);
  });

  test("an unknown kind is refused where it stands", async () => {
    const { code, stderr } = await project("cache: { link: hardlnk }\n").lq("status");
    expect(code).toBe(2);
    expect(stderr).toContain('pipeline.yaml:2:16: error: unknown kind of link "hardlnk"');
    expect(stderr).toContain('did you mean "hardlink"?');
  });
});

describe("a build", () => {
  test.each(["a folder", "a loop of links"])(
    "makes anew what has %s in its place in the cache",
    async (what) => {
      const of = project();
      await build(of, "out/");
      const [action] = filesIn(of.path("cache/actions"));
      for (const file of [objectOf(of, "alpha\n"), action ?? ""]) {
        rmSync(file, { force: true });
        if (what === "a folder") mkdirSync(join(file, "inside"), { recursive: true });
        else symlinkSync(basename(file), file);
      }
      await clean(of);
      expect(await of.lq("build", "out/")).toMatchObject({ code: 0 });
      expect([of.read("out/a.txt"), of.read("out/b.txt")]).toEqual(["alpha\n", "beta\n"]);
      expect(await of.lq("cache", "verify")).toMatchObject({ code: 0 });
    },
  );

  test("refuses a cache with a file where a folder belongs, in words", async () => {
    const of = project();
    await build(of, "out/a.txt");
    of.remove("cache/objects");
    of.write("cache/objects", "");
    await clean(of);
    const { code, stderr } = await of.lq("build", "out/a.txt");
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: cannot stat .*cache\/objects\/.*: a folder of that path is a file\n/);
  });
});

describe("verify", () => {
  test("finds every damaged object and action, moves them aside, and what they stood for is built again", async () => {
    const of = project();
    await build(of);
    expect((await of.lq("cache", "verify")).stdout).toMatch(/^\d+ objects \(.*\) and 3 actions verified\n$/);
    const object = objectOf(of, "alpha\n");
    chmodSync(object, 0o644);
    writeFileSync(object, "alphA\n");
    appendFileSync(filesIn(of.path("cache/actions"))[0] ?? "", " ");
    const [found] = await of.json("cache", "verify");
    expect(found).toMatchObject({ type: "verify", damaged: [{ kind: "object" }, { kind: "action" }] });
    expect(readdirSync(of.path("cache/quarantine"))).toHaveLength(2);
    const again = await of.lq("cache", "verify");
    expect(again.code).toBe(0);
    expect(again.stdout).toContain("an action lacks objects");
    await clean(of);
    await build(of);
    expect(of.read("out/a.txt")).toBe("alpha\n");
  });

  test("whatever else stands at the place of an object or action is damage, and what does not belong there is moved aside", async () => {
    const of = project();
    await build(of);
    const [alpha, beta] = [objectOf(of, "alpha\n"), objectOf(of, "beta\n")];
    for (const file of [alpha, beta]) rmSync(file, { force: true });
    mkdirSync(join(alpha, "inside"), { recursive: true });
    symlinkSync(basename(beta), beta);
    const [action] = filesIn(of.path("cache/actions"));
    rmSync(action ?? "");
    execFileSync("mkfifo", [action ?? ""]);
    of.write("cache/objects/ab/notes.txt", "?");
    of.write(`cache/objects/ab/${"0".repeat(62)}.0123456789abcdef-1`, "a writer's");
    const [found] = await of.json("cache", "verify");
    const kinds = (found?.damaged as { kind: string }[]).map(({ kind }) => kind);
    expect(kinds.sort()).toEqual(["action", "object", "object", "stranger"]);
    expect(readdirSync(of.path("cache/quarantine"))).toHaveLength(4);
    expect(await of.json("cache", "verify")).toMatchObject([{ damaged: [] }]);
    expect((await of.json("cache", "stats"))[0]).toMatchObject({ objects: { count: 2 } });
  });

  test.skipIf(!canBeOthers())(
    "what cannot be read is not called damaged, and damage that cannot be moved is told of",
    async () => {
      const of = cliProject({ "pipeline.yaml": `version: 1\n${RULES}`, "src/a.txt": "alpha\n" }, 4711);
      await build(of);
      const [object] = filesIn(of.path("cache/objects"));
      const [action] = filesIn(of.path("cache/actions"));
      for (const file of [object, action]) {
        chownSync(file ?? "", 0, 0);
        chmodSync(file ?? "", 0o600);
      }
      const [found] = await of.json("cache", "verify");
      expect(found).toMatchObject({ damaged: [], unreadable: [{ file: object }, { file: action }] });
      expect((await of.lq("cache", "verify")).code).toBe(1);

      chmodSync(object ?? "", 0o644);
      appendFileSync(object ?? "", "?");
      chownSync(dirname(object ?? ""), 0, 0);
      expect(await of.json("cache", "verify")).toMatchObject([
        { damaged: [{ kind: "object", file: object }], unreadable: [{ file: action }] },
      ]);
    },
  );

  test("an empty cache is whole", async () => {
    expect(await project().lq("cache", "verify")).toMatchObject({ code: 0 });
  });
});

describe("gc", () => {
  /** Two builds, the second with another a.txt: what was made of the first is not needed any more. */
  async function builtTwice(): Promise<CliProject> {
    const of = project();
    await build(of);
    of.write("src/a.txt", "gamma\n");
    await build(of);
    age(of.path("cache"), 10);
    return of;
  }

  test("never drops what current outputs need, and drops the rest by age", async () => {
    const of = await builtTwice();
    const before = await of.json("cache", "gc", "--keep-days", "30");
    expect(before[0]).toMatchObject({ actions: 0, objects: 0 });
    const [preview] = await of.json("cache", "gc", "--keep-days", "5", "-n");
    expect(preview).toMatchObject({ dryRun: true, actions: 2, objects: 1 });
    const [done] = await of.json("cache", "gc", "--keep-days", "5");
    expect(done).toMatchObject({ dryRun: false, actions: 2, objects: 1, freed: preview?.freed });
    await clean(of);
    expect(await build(of)).toEqual({ ran: 0, restored: 3 });
    of.write("src/a.txt", "alpha\n");
    expect(await build(of)).toEqual({ ran: 2, restored: 0 });
  });

  test("by size the least recently used go first", async () => {
    const of = project();
    for (const text of ["one", "two", "three"]) {
      of.write("src/a.txt", text.padEnd(1000));
      await build(of, "out/a.txt");
    }
    age(of.path("cache"), 10);
    of.write("src/a.txt", "one".padEnd(1000)); // of use again, so that "two" is the oldest
    expect(await build(of, "out/a.txt")).toEqual({ ran: 0, restored: 1 });
    of.write("src/a.txt", "three".padEnd(1000));
    expect(await build(of, "out/a.txt")).toEqual({ ran: 0, restored: 1 });
    expect((await of.json("cache", "gc", "--keep-size", "2500B"))[0]).toMatchObject({
      actions: 1,
      objects: 1,
    });
    of.write("src/a.txt", "one".padEnd(1000));
    expect(await build(of, "out/a.txt")).toEqual({ ran: 0, restored: 1 });
    of.write("src/a.txt", "two".padEnd(1000));
    expect(await build(of, "out/a.txt")).toEqual({ ran: 1, restored: 0 });
  });

  test("at once what nothing needs any more; beside a build nothing younger than an hour", async () => {
    const of = project();
    await build(of);
    of.write("src/a.txt", "gamma\n");
    await build(of);
    of.write("src/hold.txt", "");
    of.write(
      "pipeline.yaml",
      of.read("pipeline.yaml").replace('cmd: "cat', 'cmd: "[ ! -e hold ] || cat go; cat'),
    );
    execFileSync("mkfifo", [of.path("hold"), of.path("go")]);
    const beside = of.start("build", "out/hold.txt", "--json");
    await beside.line('"start"');
    for (const words of [["-n"], []])
      expect((await of.json("cache", "gc", "--keep-days", "0", ...words))[0]).toMatchObject({ objects: 0 });
    writeFileSync(of.path("go"), "");
    expect((await beside.ended).code).toBe(0);
    for (const words of [["-n"], []])
      expect((await of.json("cache", "gc", "--keep-days", "0", ...words))[0]).toMatchObject({
        actions: 2,
        objects: 1,
      });
    expect(existsSync(objectOf(of, "gamma\n"))).toBe(true);
  });

  test("what a build makes use of after the choice stays, with all that it needs", async () => {
    const of = await builtTwice();
    const folder = of.path("cache");
    const chosen = chooseGarbage(folder, new Set(), { keepDays: 5 });
    of.write("src/a.txt", "alpha\n");
    expect(await build(of, "out/a.txt")).toEqual({ ran: 0, restored: 1 });
    const removed = removeGarbage(chosen);
    expect(removed.actions.length).toBe(chosen.actions.length - 1);
    await clean(of);
    expect(await build(of, "out/a.txt")).toEqual({ ran: 0, restored: 1 });
    // A content that a run makes anew, and that lies there already, as well.
    age(folder, 10);
    const again = chooseGarbage(folder, new Set(), { keepDays: 5 });
    of.write("src/c.txt", "alpha\n");
    expect(await build(of, "out/c.txt")).toEqual({ ran: 1, restored: 0 });
    removeGarbage(again);
    await clean(of);
    expect(await build(of, "out/c.txt")).toEqual({ ran: 0, restored: 1 });
  });

  test("outputs that are links into the cache stay whole, whatever became of their actions", async () => {
    const of = cliProject({
      "pipeline.yaml": `version: 1
cache: { link: symlink }
rules:
  two: { cmd: "echo one > \${out.a}; echo two > \${out.b}", out: { a: a.txt, b: b.txt } }
  one: { cmd: "echo three > \${out}", out: c.txt }
`,
    });
    await build(of);
    await of.lq("clean", "a.txt");
    writeFileSync(
      filesIn(of.path("cache/actions")).find((file) => readFileSync(file, "utf8").includes("three")) ?? "",
      "?",
    );
    await of.lq("cache", "gc", "--keep-days", "0");
    expect([of.read("b.txt"), of.read("c.txt")]).toEqual(["two\n", "three\n"]);
  });

  test("wants a limit, and understands it", async () => {
    const of = project();
    expect(await of.lq("cache", "gc")).toMatchObject({ code: 2 });
    expect(await of.lq("cache", "gc", "--keep-size", "much")).toMatchObject({ code: 2 });
    expect(await of.lq("cache", "gc", "--keep-days", "-1")).toMatchObject({ code: 2 });
  });

  test("stats tell how much there is and how much of it is needed", async () => {
    const of = await builtTwice();
    const [stats] = await of.json("cache", "stats");
    expect(stats).toMatchObject({ type: "stats", objects: { count: 4 }, actions: { count: 5 } });
    expect(stats?.needed).toBe("gamma\n".length + "beta\n".length + "#!/bin/sh".length);
    expect((await of.lq("cache", "stats")).stdout).toContain("in 4\n");
  });
});

/** A user by number, who runs lq as on a machine of several; what is made belongs to that user alone. */
class User {
  readonly #id: number;
  readonly #project: CliProject;

  constructor(id: number, of: CliProject) {
    this.#id = id;
    this.#project = of;
    execFileSync("chown", ["-R", `${id}:${id}`, of.root]);
  }

  /** @returns the last line, as JSON */
  lq(...words: string[]): JsonLine {
    const { stdout, stderr } = spawnSync(
      "sh",
      ["-c", 'umask 077; exec "$0" "$@"', process.execPath, `${HOME}dist/cli.cjs`, ...words, "--json"],
      { cwd: this.#project.root, uid: this.#id, gid: this.#id, encoding: "utf8" },
    );
    expect(stderr).toBe("");
    return JSON.parse(stdout.trimEnd().split("\n").at(-1) ?? "") as JsonLine;
  }

  write(path: string, content: string): void {
    this.#project.write(path, content);
    execFileSync("chown", ["-R", `${this.#id}:${this.#id}`, this.#project.root]);
  }
}

describe("a folder shared by two projects", () => {
  function shared(): string {
    const folder = mkdtempSync(join(tmpdir(), "lq-shared-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    return folder;
  }

  test("one restores what the other made, and a clean-up by one spares what the other needs", async () => {
    const folder = shared();
    const [one, two] = [
      project(`cache: { folder: "${folder}" }\n`),
      project(`cache: { folder: "${folder}" }\n`),
    ];
    expect(await build(one)).toEqual({ ran: 3, restored: 0 });
    expect(await build(two)).toEqual({ ran: 0, restored: 3 });
    expect(one.has("cache/objects")).toBe(false);
    one.write("src/a.txt", "gamma\n");
    expect(await build(one)).toEqual({ ran: 2, restored: 0 });
    age(folder, 10);
    expect((await one.json("cache", "gc", "--keep-days", "0"))[0]).toMatchObject({ actions: 0 });
    // A project that is gone needs nothing.
    rmSync(two.root, { recursive: true });
    expect((await one.json("cache", "gc", "--keep-days", "0"))[0]).toMatchObject({ actions: 2, objects: 1 });
  });

  test.each(["/proc/lq", "/dev/null", "/dev/null/lq"])(
    "that cannot be is told of before anything runs: %s",
    async (folder) => {
      const one = project();
      const { code, stdout, stderr } = await one.lqIn({ LQ_CACHE: folder }, "build");
      expect([code, stdout, stderr]).toEqual([
        2,
        "",
        expect.stringContaining(`there can be no cache in ${folder} (E`),
      ]);
      expect(await build(one)).toEqual({ ran: 3, restored: 0 });
    },
  );

  test("folders whose maker was ended before it opened them are opened by their owner", async () => {
    const folder = shared();
    chmodSync(folder, 0o2777);
    mkdirSync(join(folder, "objects"), { mode: 0o700 });
    await build(project(`cache: { folder: "${folder}" }\n`));
    expect(statSync(join(folder, "objects")).mode & 0o7777).toBe(0o2777);
  });

  test("two build the same at once: both end right", async () => {
    const folder = shared();
    const both = [project(`cache: { folder: "${folder}" }\n`), project(`cache: { folder: "${folder}" }\n`)];
    const ended = await Promise.all(both.map((of) => of.lq("build")));
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    for (const of of both) expect(of.read("tree/d/b.txt")).toBe("beta\n");
    expect((await both[0]!.lq("cache", "verify")).code).toBe(0);
  });

  test("the cache of one that others name as theirs as well is shared, too", async () => {
    const one = project();
    const two = project(`cache: { folder: "${one.path("cache")}" }\n`);
    await build(one);
    await build(two);
    one.write("src/a.txt", "gamma\n");
    await build(one);
    age(one.path("cache"), 10);
    expect((await one.json("cache", "gc", "--keep-days", "0"))[0]).toMatchObject({ actions: 0, objects: 0 });
  });

  test("damage in it is found by whoever restores", async () => {
    const folder = shared();
    const [one, two] = [
      project(`cache: { folder: "${folder}" }\n`),
      project(`cache: { folder: "${folder}" }\n`),
    ];
    await build(one);
    const object = objectOf(one, "alpha\n", folder);
    chmodSync(object, 0o644);
    writeFileSync(object, "alphA\n");
    await build(two);
    expect(two.read("out/a.txt")).toBe("alpha\n");
    expect(two.read("tree/d/a.txt")).toBe("alpha\n");
  });

  // Skipped where the tests do not run as root.
  test.skipIf(!canBeOthers())(
    "and by two users, each in a folder of their own that is closed to others",
    () => {
      const folder = shared();
      chmodSync(folder, 0o777);
      const cache = `cache: { folder: "${folder}", link: [hardlink, copy] }\n`;
      const [ann, bob] = [new User(4711, project(cache)), new User(4712, project(cache))];
      expect(ann.lq("build")).toMatchObject({ ran: 3 });
      expect(bob.lq("build")).toMatchObject({ ran: 0, restored: 3 });
      bob.write("src/a.txt", "gamma\n");
      expect(bob.lq("build")).toMatchObject({ ran: 2, failed: 0 });
      ann.write("src/a.txt", "gamma\n");
      expect(ann.lq("build")).toMatchObject({ ran: 0, restored: 2 });
      age(folder, 10);
      expect(bob.lq("cache", "verify")).toMatchObject({ objects: 4, damaged: [], incomplete: [] });
      // What only Ann needs stays, though Bob cannot see her folder; then nobody needs it.
      bob.write("src/a.txt", "delta\n");
      expect(bob.lq("build")).toMatchObject({ ran: 2 });
      expect(bob.lq("cache", "gc", "--keep-days", "5")).toMatchObject({ actions: 2, objects: 1 });
      expect(ann.lq("build")).toMatchObject({ fresh: 3 });
      // Restoring is use, whoever made it: it is not old afterwards, though nobody has it in place any more.
      ann.lq("clean");
      expect(ann.lq("build", "out/a.txt")).toMatchObject({ ran: 0, restored: 1 });
      ann.write("src/a.txt", "zeta\n");
      ann.lq("build", "out/a.txt");
      bob.lq("cache", "gc", "--keep-days", "5");
      ann.write("src/a.txt", "gamma\n");
      expect(ann.lq("build", "out/a.txt")).toMatchObject({ ran: 0, restored: 1 });
    },
  );
});
