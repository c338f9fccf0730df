/** The commands of README.md and docs/guide.md, run in a study that is built to the end at the smallest scale. */
import { chmodSync, cpSync, symlinkSync } from "node:fs";
import { spawnSync } from "node:child_process";
import { basename } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";
import { writePhantomDataset } from "../../tasks/study/phantom/write.ts";
import { setParam, tinyStudy } from "../study/tiny-study.ts";
import { blocksOf, filesIn } from "./blocks.ts";

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
  [/^lq build --profile paper -n/, /"data\/btcv\/".*hint: 30 cases/s, 1],
  [/^lq plan --profile paper/, /data\/btcv\/ is not there/],
  [/^lq build --profile paper/, /"data\/btcv\/".*hint: 30 cases/s, 2],
  [/^lq clean/, /removed/],
  [/^lq cache (push|pull)/, /the project has no remote cache/, 2],
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
  whole = wholeStudy();
  for (const project of [study, whole]) {
    project.write("lq", `#!/bin/sh\nexec "${process.execPath}" "${HOME}dist/cli.cjs" "$@"\n`);
    chmodSync(project.path("lq"), 0o755);
  }
  // Two runs, for the commands that compare them.
  for (const words of [["--set", "generators.stu-s.channels=5", "tables/segthor.md"], []])
    expect((await study.lq("build", ...words)).code).toBe(0);
});

function wholeStudy(): CliProject {
  const project = cliProject({});
  for (const part of ["pipeline.yaml", "params.yaml", "profiles", "tasks"])
    cpSync(HOME + part, project.path(part), { recursive: true });
  symlinkSync(`${HOME}node_modules`, project.path("node_modules"));
  return project;
}

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

const profiles = ["docs/guide.md", "docs/reference/study.md", "data/README.md"]
  .flatMap(blocksOf)
  .filter(({ file }) => file?.startsWith("profiles/"));

test.each(profiles)("$page:$line is a profile of the study", async ({ file, text }) => {
  await writePhantomDataset("nnunet-raw", { cases: 5, size: [6, 6, 4] }, whole.path("data/own"));
  whole.write(file!, text);
  const name = basename(file!, ".yaml");
  const { code, stderr } = await whole.lq("build", "-n", "--profile", name, "tables/quality.md");
  expect([code, stderr]).toEqual([0, ""]);
});

test("docs/guide.md: params and rule of an external generator fit into the study", async () => {
  const guide = blocksOf("docs/guide.md");
  const rule = guide.find(({ text }) => text.includes("predict-external:"))!;
  const project = wholeStudy();
  project.write("profiles/external.yaml", filesIn(guide)["params.yaml"]!);
  project.write("pipeline.yaml", `${project.read("pipeline.yaml")}\n${rule.text.replace(/^(?=.)/gm, "  ")}`);
  project.write("bin/TotalSegmentator", "#!/bin/sh\necho 2.4.0\n");
  chmodSync(project.path("bin/TotalSegmentator"), 0o755);
  expect((await project.lq("build", "cases/btcv.json")).code).toBe(0);
  const words = ["build", "-n", "--profile", "external", "--slots", "gpu=1", "labels/btcv/totalseg-py/"];
  const path = `${project.path("bin")}:${process.env["PATH"]}`;
  const { code, stdout, stderr } = await project.lqIn({ PATH: path }, ...words);
  expect([code, stderr]).toEqual([0, ""]);
  expect(stdout).toContain("would run predict-external:btcv/0001");
  expect(stdout).toContain("would run remap:btcv/totalseg-py/0001");
});

/** Ends a watch when it waits for changes. */
async function watchOnce(words: readonly string[]): Promise<void> {
  const watch = study.start(...words, "--json");
  await watch.line('"state":"waiting"');
  watch.kill("SIGINT");
  expect((await watch.ended).code).toBe(130);
}
