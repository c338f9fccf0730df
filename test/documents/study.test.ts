/** The commands of README.md and docs/guide.md, run in a study that is built to the end at the smallest scale. */
import { chmodSync, cpSync, symlinkSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { beforeAll, expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";
import { setParam, tinyStudy } from "../study/tiny-study.ts";
import { blocksOf } from "./blocks.ts";

/** Lines of shell that are not for lq. */
const NOT_FOR_LQ = /^(git clone|npm cit|[^l.])/;

/** What a command must show besides ending well; the first entry that matches a line holds. */
const SHOWS: readonly (readonly [line: RegExp, output: RegExp, code?: number])[] = [
  [/^lq status --set/, /train-foundation +1 fresh, 1 stale.* params generators\.stu-s\.channels: 6 → 7 /s],
  [/^lq plan --set generators/, /train-foundation +1 × .*work: [\d.]+ core-hours.*critical path/s],
  [/^lq plan --set folds/, /tasks would run|nothing/],
  [/^lq why/, /fresh/],
  [/^lq trace/, /^STU B · AMOS · Dice.*checkpoints\/segthor\/amos\/stu-b/s],
  [/^lq diff/, /generators\.stu-s\.channels: 5 → 6/],
  [/^lq history .* --params/, /generators\.stu-s\.channels/],
  [/^lq history checkpoints/, /ran/],
  [/--profile paper/, /"data\/btcv\/".*hint: 30 cases/s, 2],
  [/^lq clean/, /removed/],
];

/** Built to the end at the smallest scale. */
let study: CliProject;
/** The study as it is, with nothing built. */
let whole: CliProject;

beforeAll(async () => {
  study = await tinyStudy({
    datasets: ["amos"],
    targets: ["segthor", "flare"],
    generators: ["stu-s", "stu-b"],
  });
  setParam(study, "figures.qualitative.dataset", "amos");
  setParam(study, "figures.qualitative.cases", ["amos_0001"]);
  setParam(study, "tables.comparisons.against.quality", "stu-s");
  whole = cliProject({});
  for (const part of ["pipeline.yaml", "params.yaml", "profiles", "tasks"])
    cpSync(HOME + part, whole.path(part), { recursive: true });
  symlinkSync(`${HOME}node_modules`, whole.path("node_modules"));
  for (const project of [study, whole]) {
    project.write("lq", `#!/bin/sh\nexec "${process.execPath}" "${HOME}dist/cli.cjs" "$@"\n`);
    chmodSync(project.path("lq"), 0o755);
  }
  // Two runs, for the commands that compare them.
  for (const words of [["--set", "generators.stu-s.channels=5", "tables/segthor.md"], []])
    expect((await study.lq("build", ...words)).code).toBe(0);
});

const lines = ["README.md", "docs/guide.md"].flatMap((page) =>
  blocksOf(page)
    .filter(({ language, text }) => language === "sh" && !text.startsWith("#!"))
    .flatMap(({ line, text }) =>
      text
        .split("\n")
        .map((whole, nth) => ({ page, line: line + nth, command: whole.replace(/ +#.*/, "") }))
        .filter(({ command }) => command !== "" && !NOT_FOR_LQ.test(command)),
    ),
);

test.each(lines)("$page:$line $command", async ({ command }) => {
  if (command.startsWith("lq watch")) return watchOnce(command.split(" ").slice(1));
  const project = command.includes("--profile paper") ? whole : study;
  const env = { ...process.env, PATH: `${project.root}:${process.env["PATH"]}`, NO_COLOR: "1" };
  const { status, stdout, stderr } = spawnSync("bash", ["-c", command], {
    cwd: project.root,
    env,
    encoding: "utf8",
  });
  const [, shows = /./, code = 0] = SHOWS.find(([line]) => line.test(command)) ?? [];
  expect([status, stdout + stderr]).toEqual([code, expect.stringMatching(shows)]);
});

/** Ends a watch when it waits for changes. */
async function watchOnce(words: readonly string[]): Promise<void> {
  const watch = study.start(...words, "--json");
  await watch.line('"state":"waiting"');
  watch.kill("SIGINT");
  expect((await watch.ended).code).toBe(130);
}
