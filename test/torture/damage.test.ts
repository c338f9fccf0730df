/**
 * Every file of the cache, and lq.lock, cut at any byte and with any byte flipped: noticed, the rest kept, the build
 * right. (What a damaged seal answers: test/seal.)
 */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { UserError } from "../../src/errors.ts";
import { builds } from "../../src/history/builds.ts";
import { Project, type Built } from "../build/project.ts";
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
const OUTPUTS = {
  "one.txt": "some content\n",
  "two/x": "some content\n",
  "two/sub/y": "more\n",
  "three.txt": "more\nsome content\n",
};

/** One after the other, the seeds of a long run come to every byte of every file. */
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
      for (const damaged of damages(whole, seed, random.below)) {
        rmSync(cache, { recursive: true });
        cpSync(kept, cache, { recursive: true, preserveTimestamps: true });
        replace(project, path, damaged.content);
        // A bundle is read by what runs only.
        const runs = path.startsWith("cache/code/");
        if (runs) rmSync(project.path("cache/actions"), { recursive: true });
        // Half the time what is in place is enough; half the time it has to come from the cache.
        const gone = !runs && random.below(2) === 0 ? [] : ["one.txt", "two", "three.txt"];
        for (const output of gone) rmSync(project.path(output), { recursive: true, force: true });
        const where = `${path} ${damaged.what}, ${gone.length === 0 ? "outputs there" : "outputs gone"}`;
        const built = await project.build();
        checkBuilt(where, project, built);
        expect([where, project.read("lq.lock")]).toEqual([where, lock]);
        // An object can be that of two outputs; what else is whole is not made again.
        const most = runs ? 3 : path.startsWith("cache/objects") ? 2 : /state|history/.test(path) ? 0 : 1;
        expect([where, built.ran.length <= most]).toEqual([where, true]);
        expect(() => [...builds(project.root)], where).not.toThrow();
        count += 1;
      }
    }
    for (const damaged of damages(Buffer.from(lock), seed, random.below)) {
      replace(project, "lq.lock", damaged.content);
      await checkDamagedLock(`lq.lock ${damaged.what}`, project, lock);
      count += 1;
    }
  } finally {
    rmSync(kept, { recursive: true });
  }
  return { "damaged builds": count };
});

function checkBuilt(where: string, project: Project, { summary }: Built): void {
  expect([where, summary.failed]).toEqual([where, 0]);
  for (const [output, content] of Object.entries(OUTPUTS))
    expect([where, project.read(output)]).toEqual([where, content]);
}

/** Lines that are no lines are a person's to settle, before anything runs; whatever else is wrong is put right. */
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
  readonly content: Buffer;
}

/** At two random places, or, at length, at all of this seed's slice. */
function damages(whole: Buffer, seed: number, below: (n: number) => number): readonly Damage[] {
  const places = LONG
    ? [...whole.keys()].filter((at) => at % SLICES === seed % SLICES)
    : [below(whole.length), below(whole.length)];
  return places.flatMap((at) => {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << below(8));
    return [
      { what: `cut to ${at} bytes`, content: whole.subarray(0, at) },
      { what: `with byte ${at} flipped`, content: flipped },
    ];
  });
}
