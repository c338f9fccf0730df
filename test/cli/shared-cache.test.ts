/** A store that projects and users share. */
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { canBeOthers, type CliProject, type JsonLine } from "../helpers/cli.ts";
import { age, build, objectOf, project } from "./cache-project.ts";
import { testFolder } from "../helpers/folder.ts";

/** A user, by id, who runs lq. The user's files are private, as on a machine with several users. */
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
  test("one restores what the other made, and a collection by one keeps what the other needs", async () => {
    const folder = testFolder();
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
    // A removed project needs nothing.
    rmSync(two.root, { recursive: true });
    expect((await one.json("cache", "gc", "--keep-days", "0"))[0]).toMatchObject({ actions: 2, objects: 1 });
  });

  test.each(["/proc/lq", "/dev/null", "/dev/null/lq"])(
    "that cannot be created is reported before anything runs: %s",
    async (folder) => {
      const one = project();
      const { code, stdout, stderr } = await one.lqIn({ LQ_CACHE: folder }, "build");
      expect([code, stdout, stderr]).toEqual([
        2,
        "",
        expect.stringContaining(`lq cannot make a cache in ${folder} (E`),
      ]);
      expect(await build(one)).toEqual({ ran: 3, restored: 0 });
    },
  );

  test("the owner corrects the permissions of folders when lq was killed before it set them", async () => {
    const folder = testFolder();
    chmodSync(folder, 0o2777);
    mkdirSync(join(folder, "objects"), { mode: 0o700 });
    await build(project(`cache: { folder: "${folder}" }\n`));
    expect(statSync(join(folder, "objects")).mode & 0o7777).toBe(0o2777);
  });

  test("two projects that build the same at once both succeed", async () => {
    const folder = testFolder();
    const both = [project(`cache: { folder: "${folder}" }\n`), project(`cache: { folder: "${folder}" }\n`)];
    const ended = await Promise.all(both.map((of) => of.lq("build")));
    expect(ended.map(({ code }) => code)).toEqual([0, 0]);
    for (const of of both) expect(of.read("tree/d/b.txt")).toBe("beta\n");
    expect((await both[0]!.lq("cache", "verify")).code).toBe(0);
  });

  test("a project's own cache is shared if other projects name it as theirs", async () => {
    const one = project();
    const two = project(`cache: { folder: "${one.path("cache")}" }\n`);
    await build(one);
    await build(two);
    one.write("src/a.txt", "gamma\n");
    await build(one);
    age(one.path("cache"), 10);
    expect((await one.json("cache", "gc", "--keep-days", "0"))[0]).toMatchObject({ actions: 0, objects: 0 });
  });

  test("the project that restores finds damage", async () => {
    const folder = testFolder();
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
      const folder = testFolder();
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
      // Content that only Ann needs stays, although Bob cannot see her folder. Then nobody needs it.
      bob.write("src/a.txt", "delta\n");
      expect(bob.lq("build")).toMatchObject({ ran: 2 });
      expect(bob.lq("cache", "gc", "--keep-days", "5")).toMatchObject({ actions: 2, objects: 1 });
      expect(ann.lq("build")).toMatchObject({ fresh: 3 });
      // A restore counts as use: the content is not old afterwards, although nobody has it in place.
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
