/**
 * Cuts every file of the cache, and lq.lock, at any byte, and flips a bit of any byte. lq notices it, keeps the rest, and
 * builds the right outputs.
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { UserError } from "../../src/model/errors.ts";
import { builds } from "../../src/history/builds.ts";
import { SNAPSHOT, GRAPH_SNAPSHOT } from "../../src/model/layout.ts";
import { askSnapshot } from "../../src/snapshot/snapshot.ts";
import { Project, type Built } from "../helpers/project.ts";
import { settle } from "../helpers/settle.ts";
import { seeded } from "../schedule/random.ts";
import { filesUnder } from "./files.ts";
import { LONG, torture } from "./torture.ts";

const FILES = {
  "pipeline.yaml": `version: 1
rules:
  one: { cmd: [cp, "\${in}", "\${out}"], in: in.txt, out: one.txt }
  two: { cmd: "cp \${in} \${out}x; mkdir \${out}sub; echo more > \${out}sub/y", in: one.txt, out: two/ }
  three: { run: three.ts, in: two/, out: three.txt, lock: true }
`,
  "in.txt": "some content\n",
  "three.ts": `import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
export default task({
  run({ files, output }) {
    writeFileSync(output(), files().map(({ path }) => readFileSync(path, "utf8")).join(""));
  },
});
`,
};
/** A seed tries every 16th byte, so 16 consecutive seeds of a long run try every byte of every file. */
const SLICES = 16;

torture("damage to any file of the cache", { quick: 1, long: SLICES }, async (seed) => {
  const random = seeded(seed);
  const project = new Project(FILES);
  await project.build();
  const lock = project.read("lq.lock");
  const cache = project.path("cache");
  const kept = `${project.root}.kept`;
  cpSync(cache, kept, { recursive: true, preserveTimestamps: true });
  let count = 0;
  try {
    const files = filesUnder(project, "cache");
    for (const kind of ["state/", "objects/", "actions/", "code/", "history/"])
      expect(files).toContainEqual(expect.stringMatching(`^cache/${kind}`));
    for (const path of files) {
      const whole = readFileSync(project.path(path));
      for (const { what, at, flip } of damagesOf(whole.length, seed, random.below)) {
        rmSync(cache, { recursive: true });
        cpSync(kept, cache, { recursive: true, preserveTimestamps: true });
        replace(project, path, damaged(whole, at, flip));
        // lq reads a bundle only when a task runs.
        const runs = path.startsWith("cache/code/");
        if (runs) rmSync(project.path("cache/actions"), { recursive: true });
        // Keep the outputs half of the time; the other half lq has to restore them.
        const gone = !runs && random.below(2) === 0 ? [] : ["one.txt", "two", "three.txt"];
        for (const output of gone) rmSync(project.path(output), { recursive: true, force: true });
        const where = `${path} ${what}, ${gone.length === 0 ? "outputs there" : "outputs gone"}`;
        const built = await project.build();
        checkBuilt(where, project, built);
        expect([where, project.read("lq.lock")]).toEqual([where, lock]);
        // An object can belong to two outputs. lq runs no task whose files in the cache are whole.
        const most = runs ? 3 : path.startsWith("cache/objects") ? 2 : /state|history/.test(path) ? 0 : 1;
        expect([where, built.ran.length <= most]).toEqual([where, true]);
        expect(() => [...builds(project.root)], where).not.toThrow();
        count += 1;
      }
    }
    for (const { what, at, flip } of damagesOf(lock.length, seed, random.below)) {
      replace(project, "lq.lock", damaged(Buffer.from(lock), at, flip));
      await checkDamagedLock(`lq.lock ${what}`, project, lock);
      count += 1;
    }
  } finally {
    rmSync(kept, { recursive: true });
  }
  return { "damaged builds": count };
});

torture("damage to a snapshot and its graph", { quick: 1, long: SLICES }, async (seed) => {
  const random = seeded(seed);
  // Without lq.lock: it would make every build look at all tasks.
  const project = new Project({
    ...FILES,
    "pipeline.yaml": FILES["pipeline.yaml"].replace(", lock: true", ""),
  });
  const build = async (content: string, damage: () => void): Promise<Built> => {
    project.write("in.txt", content);
    await settle();
    damage();
    const asked = askSnapshot(project.root, "all", process.env);
    return project.build({ snapshot: { request: "all", since: Date.now(), asked } });
  };
  const contents = ["some content\n", "other content\n"];
  for (const content of contents) await build(content, () => undefined);
  let count = 0;
  for (const file of [SNAPSHOT, GRAPH_SNAPSHOT]) {
    const whole = readFileSync(project.path(file));
    for (const [i, { what, at, flip }] of damagesOf(whole.length, seed, random.below).entries()) {
      const content = contents[i % 2] ?? "";
      await untilSnapshot(project);
      const built = await build(content, () => {
        // Before the damage, the snapshot leads to an incremental session.
        expect(askSnapshot(project.root, "all", process.env)?.changed).toHaveLength(1);
        const now = readFileSync(project.path(file));
        writeFileSync(project.path(file), damaged(now, Math.min(at, now.length - 1), flip));
      });
      const where = `${file} ${what}`;
      checkBuilt(where, project, built, content);
      // lq has built both contents before, so it restores.
      expect([where, built.ran, built.restored]).toEqual([where, [], ["one", "three", "two"]]);
      count += 1;
    }
  }
  return { "damaged builds": count };
});

/**
 * Builds until there is a valid snapshot. A build that replaced a folder leaves none, and neither does one that has just
 * written a file.
 */
async function untilSnapshot(project: Project): Promise<void> {
  for (let looks = 0; askSnapshot(project.root, "all", process.env)?.changed.length !== 0; looks++) {
    expect(looks).toBeLessThan(20);
    await settle();
    await project.build({ snapshot: { request: "all", since: Date.now() } });
  }
}

/** @param source content of in.txt */
function checkBuilt(where: string, project: Project, { summary }: Built, source = "some content\n"): void {
  expect([where, summary.failed]).toEqual([where, 0]);
  const outputs = {
    "one.txt": source,
    "two/x": source,
    "two/sub/y": "more\n",
    "three.txt": `more\n${source}`,
  };
  for (const [output, content] of Object.entries(outputs))
    expect([where, project.read(output)]).toEqual([where, content]);
}

/** lq refuses an lq.lock with lines that it cannot read, before anything runs; it repairs all other damage. */
async function checkDamagedLock(where: string, project: Project, whole: string): Promise<void> {
  let built: Built;
  try {
    built = await project.build();
  } catch (error) {
    expect([where, error instanceof UserError && error.diagnostics[0]?.span?.file]).toEqual([
      where,
      "lq.lock",
    ]);
    return;
  }
  checkBuilt(where, project, built);
  expect([where, built.ran, project.read("lq.lock")]).toEqual([where, [], whole]);
}

function replace(project: Project, path: string, content: Buffer): void {
  rmSync(project.path(path));
  writeFileSync(project.path(path), content);
}

interface Damage {
  readonly what: string;
  readonly at: number;
  /** Mask of the bit to flip; null: cut the file there. */
  readonly flip: number | null;
}

/** Damage at two random places; in a long run, at all places of this seed's slice. */
function damagesOf(length: number, seed: number, below: (n: number) => number): readonly Damage[] {
  const places = LONG
    ? Array.from({ length }, (_, at) => at).filter((at) => at % SLICES === seed % SLICES)
    : [below(length), below(length)];
  return places.flatMap((at) => [
    { what: `cut to ${at} bytes`, at, flip: null },
    { what: `with byte ${at} flipped`, at, flip: 1 << below(8) },
  ]);
}

function damaged(whole: Buffer, at: number, flip: number | null): Buffer {
  if (flip === null) return whole.subarray(0, at);
  const content = Buffer.from(whole);
  content[at] = (content[at] ?? 0) ^ flip;
  return content;
}
