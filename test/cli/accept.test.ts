/** `lq accept`: accepts outputs as they are, and marks them. */
import { appendFileSync, chmodSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { cliProject, type CliProject, type JsonLine } from "../helpers/cli.ts";
import { testFolder } from "../helpers/folder.ts";
import { age, clean, filesIn, objectOf } from "./cache-project.ts";
import { FILES as TABLE, buildAll } from "./table-project.ts";

/** A training whose script is an input. It needs a GPU, which is not there when its outputs are accepted. */
const FILES = {
  "pipeline.yaml": `version: 1
params: params.yaml
axes: { model: { keys: models } }
rules:
  train:
    each: { model: model }
    cmd: "sh \${in.script} \${models[model].width} > \${out}model.txt; echo \${model} >> ran.txt"
    in: { script: train.sh }
    out: "models/\${model}/"
    slots: { gpu: 1 }
    lock: true
  score:
    each: { model: model }
    cmd: "cat \${in}* > \${out}; echo \${penalty} >> \${out}"
    in: "models/\${model}/"
    out: "scores/\${model}.txt"
  table: { cmd: "cat \${in}* > \${out}", in: scores/, out: table.txt }
`,
  "params.yaml": "penalty: 1\nmodels:\n  small: { width: 4 }\n  large: { width: 8 }\n",
  "train.sh": "echo weights $1\n",
};
const COMMENT = `# says how wide\n${FILES["train.sh"]}`;

async function built(files: { readonly [path: string]: string } = FILES): Promise<CliProject> {
  const project = cliProject(files);
  await buildAll(project);
  return project;
}

/** A built project after an edit of the script: both trainings are stale. */
async function edited(files?: { readonly [path: string]: string }): Promise<CliProject> {
  const project = await built(files);
  project.write("train.sh", COMMENT);
  return project;
}

/** Tasks by outcome, sorted, without fresh tasks. */
function outcomes(lines: readonly JsonLine[]): { [outcome: string]: string[] } {
  const found: { [outcome: string]: string[] } = {};
  for (const { type, task, outcome } of lines)
    if (type === "task" && outcome !== "fresh") (found[String(outcome)] ??= []).push(String(task));
  for (const tasks of Object.values(found)) tasks.sort();
  return found;
}

const BOTH = ["train:large", "train:small"];

test("after it a build runs nothing, and a later change runs only the tasks that it affects", async () => {
  const project = await edited();
  const before = statSync(project.path("models/small/model.txt"));
  const runs = () => filesIn(project.path("cache/actions")).map((file) => [file, readFileSync(file, "utf8")]);
  const records = runs();
  const events = await project.json("accept", "table.txt");
  expect(runs()).toEqual(records);
  expect(outcomes(events)).toEqual({ accepted: BOTH });
  expect(events.at(-1)).toMatchObject({ type: "summary", accepted: 2, fresh: 3, ran: 0, failed: 0 });
  expect(statSync(project.path("models/small/model.txt"))).toMatchObject({
    ino: before.ino,
    mtimeMs: before.mtimeMs,
  });
  expect((await project.lq("build")).stdout).toMatch(/^5 fresh in /);
  expect(project.read("ran.txt").trim().split("\n").sort()).toEqual(["large", "small"]);

  project.write("params.yaml", FILES["params.yaml"].replace("width: 4", "width: 6"));
  const [why] = await project.json("why", "train:small");
  // Compared with the accepted script, so the script is no longer a reason.
  expect(why).toMatchObject({
    chain: [{ reasons: [{ kind: "param" }] }],
    accepted: { key: expect.any(String) as string },
  });
  expect(outcomes(await project.json("build", "--slots", "gpu=1"))).toEqual({
    ran: ["score:small", "table", "train:small"],
  });
  expect((await project.json("why", "train:small"))[0]).toMatchObject({ accepted: null });
});

test("a dry run shows all reasons with their values, and changes nothing", async () => {
  const project = await edited();
  project.write(
    "params.yaml",
    FILES["params.yaml"].replace("width: 4", "width: 6").replace("penalty: 1", "penalty: 2"),
  );
  const all = () => filesIn(project.root).map((file) => [file, readFileSync(file, "latin1")]);
  const before = all();
  const { stdout, code } = await project.lq("accept", "-n", "table.txt");
  expect(code).toBe(0);
  const digest = "[0-9a-f]{12}";
  expect(stdout).toMatch(
    RegExp(
      `would accept train:small: params \\S+width: 4 → 6; file train.sh changed: ${digest} → ${digest}\n`,
    ),
  );
  expect(stdout).toMatch(/would accept 2 tasks, score:\w+ …: params penalty: 1 → 2\n/);
  expect(stdout).toMatch(/4 would accept, 1 fresh in .*\n$/);
  expect(all()).toEqual(before);
  expect(outcomes(await project.json("accept", "table.txt"))).toEqual({
    accepted: ["score:large", "score:small", "train:large", "train:small"],
  });
});

test("covers the targets and everything they depend on; the rest stays stale", async () => {
  const project = await edited();
  expect((await project.lq("accept", "scores/small.txt")).stdout).toMatch(
    /^accepted train:small: file train\.sh changed: .*\n1 accepted, 1 fresh in .*\n$/m,
  );
  const states = (await project.json("status")).map(({ task, state }) => `${String(task)} ${String(state)}`);
  expect(states).toContain("train:small fresh");
  expect(states).toContain("train:large stale");
});

test("is shown by every command that says what outputs were made from", async () => {
  const files = {
    ...TABLE,
    "pipeline.yaml": TABLE["pipeline.yaml"].replace(
      'in: "data/corpus.txt"',
      'in: ["data/corpus.txt", train.sh]',
    ),
    "train.sh": FILES["train.sh"],
  };
  const project = await edited(files);
  const [made] = await project.json("trace", "models/small.txt");
  const { key } = (made?.["step"] as { tasks: [{ key: string }] }).tasks[0];
  // Accepted twice: the mark still names the run that made it.
  await project.lq("accept", "models/");
  project.write("train.sh", `${COMMENT}# and more\n`);
  await project.lq("accept", "models/");
  const [traced] = await project.json("trace", "table.md", "--cell", "small");
  expect(traced).toMatchObject({
    step: {
      tasks: [{ task: "table", accepted: null }],
      from: [{ from: [{ tasks: [{ task: "train:small", build: 1, devices: ["0"], accepted: { key } }] }] }],
    },
  });
  const mark = `accepted by hand \\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d; made with key ${key.slice(0, 12)}`;
  expect((await project.lq("trace", "table.md", "--cell", "small")).stdout).toMatch(RegExp(mark));
  expect((await project.lq("why", "models/small.txt")).stdout).toMatch(
    RegExp(
      `it last was accepted in build 3, .*, for\n    file train.sh changed: .*\n  its outputs were ${mark}\n`,
    ),
  );
  expect((await project.lq("diff", "models/small.txt@1", "@3")).stdout).toMatch(
    RegExp(
      `^train:small in build 1 → train:small in build 3 \\(${mark}\\)\ntrain:small\n.*\n  outputs: the same\n`,
    ),
  );
  expect((await project.lq("history", "train:small", "--most", "1")).stdout).toContain(
    "accepted train:small: file",
  );
  expect((await project.lq("history", "--most", "1")).stdout).toContain("2 accepted");
  // After a real run the mark is gone.
  await project.lq("build", "-f", "models/small.txt", "--slots", "gpu=1");
  expect((await project.lq("trace", "models/small.txt")).stdout).not.toContain("accepted");
});

describe("what cannot be accepted is refused before anything is accepted", () => {
  test.each<[string, (project: CliProject) => Promise<void> | void, string]>([
    [
      "never built",
      (project) =>
        project.write(
          "params.yaml",
          FILES["params.yaml"].replace("  large", "  huge: { width: 1 }\n  large"),
        ),
      "train:huge cannot be accepted: it was never built",
    ],
    [
      "a missing output",
      (project) => project.remove("models/large"),
      "train:large cannot be accepted: its output models/large/ is missing",
    ],
    [
      "an edited output",
      (project) => project.write("models/large/model.txt", "better\n"),
      "train:large cannot be accepted: its output models/large/ was edited since lq wrote it",
    ],
    [
      "other outputs than before",
      (project) =>
        project.write(
          "pipeline.yaml",
          FILES["pipeline.yaml"].replace(
            '"models/${model}/"\n    slots',
            '["models/${model}/", "logs/${model}.txt"]\n    slots',
          ),
        ),
      "train:large cannot be accepted: its declared outputs are not those of its last run",
    ],
    [
      "a record that is gone",
      (project) => project.remove("cache/actions"),
      "train:large cannot be accepted: lq has no record of what its outputs were made from",
    ],
  ])("%s", async (_, change, message) => {
    const project = await edited();
    await change(project);
    const before = await project.json("status");
    const { code, stdout, stderr } = await project.lq("accept", "models/");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`error: ${message}\n  hint: lq build train:`);
    expect(await project.json("status")).toEqual(before);
    const dry = await project.lq("accept", "-n", "models/");
    expect(dry.stdout).toContain(`failed ${message.replace(" cannot be accepted", "")}\n`);
    expect([dry.code, project.has("cache/accepted")]).toEqual([1, false]);
  });

  test("runs that all failed", async () => {
    const project = cliProject({ ...FILES, "train.sh": "exit 1\n" });
    await project.build({ slots: "gpu=1", keepGoing: true });
    project.write("train.sh", COMMENT);
    expect((await project.lq("accept", "train")).stderr).toBe(
      ["train:small", "train:large"]
        .map((id) => `error: ${id} cannot be accepted: no run of it has ended well\n  hint: lq build ${id}\n`)
        .join("\n"),
    );
  });

  test("no target, and -f", async () => {
    const project = await edited();
    expect(await project.lq("accept")).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("lq accept needs a target") as string,
    });
    expect((await project.lq("accept", "-f", "models/")).code).toBe(2);
    expect((await project.lq("accept", "nothing")).code).toBe(2);
  });

  test("two tasks that would have one key, but have different outputs", async () => {
    const module = `import { writeFileSync } from "node:fs";
import { task } from "lq";
const params = { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } };
export default task({ params, run: ({ output, params }) => writeFileSync(output(), String(params.width)) });
`;
    const rule = `version: 1
params: params.yaml
axes: { model: { keys: models } }
rules: { train: { each: [model], run: train.ts, with: { width: "\${models[model].width}" }, out: "m/\${model}" } }
`;
    const project = await built({ ...FILES, "pipeline.yaml": rule, "train.ts": module });
    project.write(
      "params.yaml",
      FILES["params.yaml"].replace("width: 4", "width: 5").replace("width: 8", "width: 5"),
    );
    expect((await project.lq("accept", "train")).stderr).toMatch(
      /^error: train:\w+ cannot be accepted: it is the same as train:\w+ now, but its outputs differ\n/,
    );
    expect([project.read("m/small"), project.read("m/large")]).toEqual(["4", "8"]);
  });
});

test("outputs that the cache has are restored, as in a build", async () => {
  const project = await edited();
  await project.lq("accept", "table.txt");
  project.write("params.yaml", FILES["params.yaml"].replace("penalty: 1", "penalty: 2"));
  await project.built("scores/");
  project.write("params.yaml", FILES["params.yaml"]);
  project.write("train.sh", `${COMMENT}# once more\n`);
  expect(outcomes(await project.json("accept", "-n", "scores/"))).toEqual({
    accepted: BOTH,
    restored: ["score:large", "score:small"],
  });
  expect(outcomes(await project.json("accept", "table.txt"))).toEqual({
    accepted: BOTH,
    restored: ["score:large", "score:small"],
  });
  expect(project.read("scores/small.txt")).toBe("weights 4\n1\n");
});

test("a task whose cached output is damaged fails, and a build runs it", async () => {
  const project = await built();
  project.write("params.yaml", FILES["params.yaml"].replace("penalty: 1", "penalty: 2"));
  await project.built("scores/");
  project.write("params.yaml", FILES["params.yaml"]);
  const object = objectOf(project, "weights 4\n1\n");
  chmodSync(object, 0o644);
  appendFileSync(object, "x");
  const { code, stdout } = await project.lq("accept", "table.txt", "-k");
  expect(stdout).toContain("failed score:small: its result in the cache is damaged\n");
  expect(stdout).toMatch(/1 restored, 2 fresh, 1 failed, 1 skipped in .*\n$/);
  expect([code, project.read("scores/small.txt")]).toEqual([1, "weights 4\n2\n"]);
  expect((await project.built()).ran).toEqual(["score:small"]);
});

test("is restored with its mark after a clean-up, and spared by collections while it is in place", async () => {
  const project = await edited();
  await project.lq("accept", "table.txt");
  age(project.path("cache"), 10);
  expect((await project.json("cache", "gc", "--keep-days", "0"))[0]).toMatchObject({
    actions: 2,
    objects: 0,
  });
  expect((await project.lq("cache", "verify")).code).toBe(0);
  await clean(project);
  expect(outcomes(await project.json("build", "table.txt"))).toEqual({
    restored: ["score:large", "score:small", "table", ...BOTH],
  });
  expect((await project.json("why", "train:small"))[0]).toMatchObject({
    accepted: { key: expect.any(String) as string },
  });
  expect(project.read("ran.txt").trim().split("\n").length).toBe(2);
});

test("objects that the cache lost are taken from the outputs", async () => {
  const project = await edited();
  project.remove("cache/objects");
  expect(outcomes(await project.json("accept", "models/"))).toEqual({ accepted: BOTH });
  await clean(project);
  expect(outcomes(await project.json("build", "models/"))).toEqual({ restored: BOTH });
  expect(project.read("models/small/model.txt")).toBe("weights 4\n");
});

test("in a shared store, a project uses what it accepted itself, and what was run", async () => {
  const folder = testFolder();
  const shared = {
    ...FILES,
    "pipeline.yaml": FILES["pipeline.yaml"].replace(
      "version: 1\n",
      `version: 1\ncache: { folder: "${folder}" }\n`,
    ),
  };
  const [one, two, three] = [await edited(shared), await edited(shared), cliProject(shared)];
  three.write("train.sh", COMMENT);
  expect(two.has("ran.txt")).toBe(false); // restored
  expect(outcomes(await one.json("accept", "models/"))).toEqual({ accepted: BOTH });
  // Others get lq.lock by git: it has the key, but the store has no run of it for them.
  three.write("lq.lock", one.read("lq.lock"));
  expect((await three.json("lock", "pull"))[0]).toMatchObject({ absent: BOTH });
  expect(outcomes(await two.json("build", "-n", "models/"))).toEqual({ ran: BOTH });
  expect(outcomes(await two.json("accept", "models/"))).toEqual({ accepted: BOTH });
  // The project that accepted still sees its own mark, although another project has run the task.
  expect(outcomes(await three.json("build", "models/", "--slots", "gpu=1"))).toEqual({ ran: BOTH });
  expect((await three.json("why", "train:small"))[0]).toMatchObject({ accepted: null });
  for (const each of [one, two]) {
    await clean(each);
    expect(outcomes(await each.json("build", "models/"))).toEqual({ restored: BOTH });
    expect((await each.json("why", "train:small"))[0]).toMatchObject({
      accepted: { key: expect.any(String) as string },
    });
  }
  const four = cliProject({ ...shared, "train.sh": COMMENT });
  expect(outcomes(await four.json("build", "models/"))).toEqual({ restored: BOTH });
  expect((await four.json("why", "train:small"))[0]).toMatchObject({ accepted: null });
  expect(readdirSync(join(folder, "accepted")).length).toBe(2);
});

test("lq.lock has the accepted key, as after a build", async () => {
  const project = await edited();
  const before = project.read("lq.lock");
  await project.lq("accept", "models/small/");
  const [was, is] = [before, project.read("lq.lock")].map((text) =>
    text.split("\n").filter((line) => line !== ""),
  );
  expect(is?.[0]).toBe(was?.[0]);
  expect(is?.[1]).not.toBe(was?.[1]);
  expect(is?.[1]?.split(" ")[2]).toBe(was?.[1]?.split(" ")[2]);
  expect((await project.json("lock", "pull"))[0]).toMatchObject({ there: BOTH });
});

test("tasks of an axis that is read from a file, and the task of this file", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
axes: { fold: { in: folds.json, at: "[*]" } }
rules:
  split: { cmd: "sh \${in} > \${out}", in: split.sh, out: folds.json }
  train: { each: [fold], cmd: "sh \${in} > \${out}", in: train.sh, out: "models/\${fold}.txt" }
  table: { cmd: "cat \${in}* > \${out}", in: models/, out: table.txt }
`,
    "split.sh": "echo '[0, 1]'\n",
    "train.sh": FILES["train.sh"],
  });
  await project.built();
  for (const script of ["split.sh", "train.sh"]) project.write(script, `# comment\n${project.read(script)}`);
  const accepted = ["split", "train:0", "train:1"];
  expect(outcomes(await project.json("accept", "-n", "table.txt"))).toEqual({ accepted });
  expect(outcomes(await project.json("accept", "table.txt"))).toEqual({ accepted });
  expect((await project.built()).summary).toMatchObject({ fresh: 4, ran: 0, restored: 0 });
});

test("after a kill some tasks are accepted and the others are stale", async () => {
  const models = Array.from({ length: 60 }, (_, i) => `  m${i}: { width: 1 }\n`).join("");
  const project = cliProject({
    ...FILES,
    "pipeline.yaml": FILES["pipeline.yaml"].replace("    slots: { gpu: 1 }\n", ""),
    "params.yaml": `penalty: 1\nmodels:\n${models}`,
  });
  await project.built("train");
  project.write("train.sh", COMMENT);
  const lq = project.start("accept", "train", "--json");
  await lq.line('"accepted"');
  lq.kill("SIGKILL");
  await lq.ended;
  const states = (await project.json("status", "train")).map(({ state }) => state);
  expect(states.filter((state) => !["fresh", "restorable", "stale"].includes(String(state)))).toEqual([]);
  const rest = states.filter((state) => state === "stale").length;
  expect(rest).toBeLessThan(60);
  expect((await project.json("accept", "train")).at(-1)).toMatchObject({ accepted: rest, ran: 0, failed: 0 });
  expect((await project.built("train")).summary).toMatchObject({ fresh: 60, ran: 0, restored: 0 });
});
