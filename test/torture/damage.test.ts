/** Every file of the cache, cut at any byte and with any byte flipped: noticed, the rest kept, the build right. */
import { cpSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { expect } from "vitest";
import { Project } from "../build/project.ts";
import { seeded } from "../schedule/random.ts";
import { filesUnder } from "./files.ts";
import { rounds, torture } from "./torture.ts";

const FILES = {
  "pipeline.yaml": `version: 1
rules:
  one: { cmd: [cp, "\${in}", "\${out}"], in: in.txt, out: one.txt }
  two: { cmd: "cp \${in} \${out}x; mkdir \${out}sub; echo more > \${out}sub/y", in: one.txt, out: two/ }
  three: { run: three.ts, in: two/, out: three.txt }
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

torture("damage to any file of the cache", { quick: 1, long: 1 }, async (seed) => {
  const random = seeded(seed);
  const project = new Project(FILES);
  await project.build();
  const cache = project.path("cache");
  const kept = `${project.root}.kept`;
  let builds = 0;
  cpSync(cache, kept, { recursive: true, preserveTimestamps: true });
  try {
    const files = filesUnder(project, "cache").filter((path) => !path.startsWith("cache/history/"));
    for (const kind of ["state/", "objects/", "actions/", "code/", "logs/"])
      expect([kind, files.some((path) => path.startsWith(`cache/${kind}`)) || kind === "logs/"]).toEqual([
        kind,
        true,
      ]);
    for (const path of files) {
      const whole = readFileSync(project.path(path));
      for (const damaged of damages(whole, rounds(2, Infinity), random.below)) {
        rmSync(cache, { recursive: true });
        cpSync(kept, cache, { recursive: true, preserveTimestamps: true });
        rmSync(project.path(path));
        writeFileSync(project.path(path), damaged.content);
        // A bundle is read by what runs only.
        const runs = path.startsWith("cache/code/");
        if (runs) rmSync(project.path("cache/actions"), { recursive: true });
        // Half the time what is in place is enough; half the time it has to come from the cache.
        const gone = !runs && random.below(2) === 0 ? [] : ["one.txt", "two", "three.txt"];
        for (const output of gone) rmSync(project.path(output), { recursive: true, force: true });
        const where = `${path} ${damaged.what}, ${gone.length === 0 ? "outputs there" : "outputs gone"}`;
        const { ran, summary } = await project.build();
        expect([where, summary.failed]).toEqual([where, 0]);
        for (const [output, content] of Object.entries(OUTPUTS))
          expect([where, project.read(output)]).toEqual([where, content]);
        // An object can be that of two outputs; what else is whole is not made again.
        expect([where, ran.length <= (runs ? 3 : path.startsWith("cache/objects") ? 2 : 1)]).toEqual([
          where,
          true,
        ]);
        if (path.startsWith("cache/state")) expect([where, ran]).toEqual([where, []]);
        builds += 1;
      }
    }
    return { "builds after damage": builds };
  } finally {
    rmSync(kept, { recursive: true });
  }
});

interface Damage {
  readonly what: string;
  readonly content: Buffer;
}

/** @param most of either kind, at random places; all when there are fewer */
function damages(whole: Buffer, most: number, below: (n: number) => number): readonly Damage[] {
  const places = Array.from(whole.keys());
  const chosen = places.length <= most ? places : Array.from({ length: most }, () => below(places.length));
  return chosen.flatMap((at) => {
    const flipped = Buffer.from(whole);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << below(8));
    return [
      { what: `cut to ${at} bytes`, content: whole.subarray(0, at) },
      { what: `with byte ${at} flipped`, content: flipped },
    ];
  });
}
