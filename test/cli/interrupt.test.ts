import { expect, test } from "vitest";
import { isAlive } from "../helpers/alive.ts";
import { cliProject, type CliProject, type JsonLine, type Lq } from "../helpers/cli.ts";
import { ENDLESS } from "../helpers/modules.ts";

function endless(): CliProject {
  return cliProject({
    "endless.ts": ENDLESS,
    "pipeline.yaml": `version: 1
rules:
  quick: { cmd: "echo quick > \${out}", out: quick.txt }
  endless: { run: endless.ts, in: quick.txt, out: never.txt }
`,
  });
}

/** The processes of the task, once it runs. */
async function processes(lq: Lq): Promise<number[]> {
  const line = (await lq.line('"type":"progress"')).at(-1) ?? "";
  const pids = (JSON.parse(line) as { note: string }).note.split(" ").map(Number);
  expect(pids.filter(isAlive)).toEqual(pids);
  return pids;
}

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)(
  "%s ends the children, which never end by themselves, with exit code %i; the next build goes on",
  async (signal, code) => {
    const project = endless();
    const lq = project.start("build", "--json");
    const pids = await processes(lq);
    lq.kill(signal);
    const ended = await lq.ended;
    expect(ended.code).toBe(code);
    expect(ended.stderr).toMatch(/what was done is kept: the same command goes on from here\n$/);
    expect(pids.filter(isAlive)).toEqual([]);
    const events = ended.stdout
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line) as JsonLine);
    expect(events).toContainEqual(expect.objectContaining({ task: "quick", outcome: "ran" }));
    expect(events).toContainEqual(expect.objectContaining({ task: "endless", outcome: "cancelled" }));
    expect(events.at(-1)).toMatchObject({ type: "summary", ran: 1 });
    expect(project.has("never.txt")).toBe(false);

    project.write("endless.ts", 'import { task } from "lq";\nexport default task({ run() {} });\n');
    expect((await project.json("build", "quick"))[1]).toMatchObject({ task: "quick", outcome: "fresh" });
  },
);
