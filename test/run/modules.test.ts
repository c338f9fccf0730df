import { describe, expect, it } from "vitest";
import { UserError } from "../../src/model/errors.ts";
import { Project } from "../helpers/project.ts";

const SCALE = `import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
export default task({
  params: z.object({ factor: z.number().positive(), note: z.string().optional() }),
  async run({ input, output, params, progress, log, cpus, devices, signal, scratch }) {
    progress(0.5, "half way");
    log("factor " + params.factor);
    console.log("printed", cpus, devices.length, signal.aborted, scratch, process.env.OMP_NUM_THREADS);
    writeFileSync(output(), String(Number(readFileSync(input(), "utf8")) * params.factor));
  },
});
`;

function scaling(pipeline = ""): Project {
  return new Project({
    "pipeline.yaml": `version: 1
params: params.yaml
axes: { name: [a, b, c] }
rules:
  scale:
    each: { name: name }
    run: tasks/scale.ts
    in: "src/\${name}.txt"
    with: { factor: "\${factor}" }
    out: "out/\${name}.txt"
${pipeline}`,
    "params.yaml": "factor: 2\n",
    "tasks/scale.ts": SCALE,
    "src/a.txt": "1",
    "src/b.txt": "2",
    "src/c.txt": "3",
  }).withPackages();
}

describe("task modules", () => {
  it("run in workers with their inputs, outputs and params, and log what they print", async () => {
    const built = scaling();
    const { ran, events } = await built.build();
    expect(events.filter((e) => e.type === "task" && e.error)).toEqual([]);
    expect(ran).toEqual(["scale:a", "scale:b", "scale:c"]);
    expect(built.read("out/c.txt")).toBe("6");
    expect(built.read("cache/logs/scale/a.log")).toBe("factor 2\nprinted 1 0 false null 1\n");
    expect(events).toContainEqual({ type: "progress", task: "scale:a", fraction: 0.5, note: "half way" });
  });

  it("run again after a change of their code, not of their comments", async () => {
    const built = scaling();
    await built.build();
    built.write("tasks/scale.ts", `// A comment.\n${SCALE}`);
    expect((await built.build()).summary.fresh).toBe(3);
    built.write("tasks/scale.ts", SCALE.replace("* params.factor", "* params.factor + 1"));
    expect((await built.build()).ran).toHaveLength(3);
    expect(built.read("out/a.txt")).toBe("3");
  });

  it("have all their params checked before anything runs", async () => {
    const built = scaling(`  other:
    run: tasks/scale.ts
    in: src/a.txt
    with: { note: 7 }
    out: other.txt
`);
    built.write("params.yaml", "factor: -1\n");
    const error = await built.build().then(
      () => null,
      (thrown: unknown) => thrown,
    );
    expect(error).toBeInstanceOf(UserError);
    const messages = (error as UserError).diagnostics.map(({ message }) => message).sort();
    expect(messages).toHaveLength(3);
    expect(messages[0]).toMatch(/^other: param factor: /);
    expect(messages[1]).toMatch(/^other: param note: /);
    expect(messages[2]).toMatch(/^scale:a: param factor \(from params factor\): /);
    expect(
      (error as UserError).diagnostics.map(({ message, span }) => [message.split(":")[0], span?.file]),
    ).toEqual([
      ["scale", "params.yaml"],
      ["other", "pipeline.yaml"],
      ["other", "pipeline.yaml"],
    ]);
    expect((error as UserError).diagnostics.map(({ hint }) => hint).filter(Boolean)).toEqual([
      `the rule's "with" has only note`,
    ]);
    expect(built.has("out")).toBe(false);
  });

  it.each([
    ["throws", `throw new Error("no such organ")`, "no such organ"],
    ["exits", `process.exit(3)`, "its process ended before it did (exit code 3)"],
    [
      "is killed",
      `process.kill(process.pid, "SIGKILL"); await new Promise(() => {})`,
      "its process ended before it did (SIGKILL)",
    ],
    ["writes nothing", ``, 'it ended well but did not write its output "out.txt"'],
    ["asks for an unknown role", `input("image")`, 'the rule declares no input "image" (its inputs: "in")'],
  ])("fail when one %s, leaving the old output", async (_, body, error) => {
    const built = new Project({
      "pipeline.yaml": `version: 1
rules:
  one: { run: task.ts, in: in.txt, out: out.txt }
`,
      "in.txt": "in",
      "task.ts": `import { copyFileSync } from "node:fs";
import { task } from "lq";
export default task({ run: ({ input, output }) => copyFileSync(input(), output()) });
`,
    });
    await built.build();
    built.write(
      "task.ts",
      `import { task } from "lq";
export default task({ async run({ input }) { input(); console.error("before"); ${body} } });
`,
    );
    const { summary, events } = await built.build();
    expect(summary).toMatchObject({ ran: 0, failed: 1 });
    const failed = events.find((event) => event.type === "task");
    expect(failed).toMatchObject({ outcome: "failed", error, log: "cache/logs/one/one.log" });
    // The tail has neither the error's message again nor a stack trace.
    expect(failed?.type === "task" ? failed.tail : null).toEqual(["before"]);
    expect(built.read("out.txt")).toBe("in");
    expect(built.has("cache/staging")).toBe(false);
  });

  it("expand the graph by the files that they write, before and after a change", async () => {
    const built = new Project({
      "pipeline.yaml": `version: 1
params: params.yaml
rules:
  list:
    run: tasks/list.ts
    with: { names: "\${names}" }
    out: names.json
  make:
    each: { name: { in: names.json, at: "cases[*].id" } }
    cmd: "echo \${name} > \${out}"
    out: "made/\${name}.txt"
  join:
    run: tasks/join.ts
    in: { parts: made/ }
    out: { table: joined/ }
default: [joined/]
`,
      "params.yaml": "names: [a, b]\n",
      "tasks/list.ts": `import { writeFileSync } from "node:fs";
import { task } from "lq";
import { z } from "zod";
export default task({
  params: z.object({ names: z.array(z.string()) }),
  run({ output, params }) {
    writeFileSync(output(), JSON.stringify({ cases: params.names.map((id) => ({ id })) }));
  },
});
`,
      "tasks/join.ts": `import { writeFileSync } from "node:fs";
import { task } from "lq";
export default task({
  run({ files, output }) {
    for (const { name, path } of files("parts")) writeFileSync(output("table") + name, path.slice(-5));
  },
});
`,
    }).withPackages();
    const first = await built.build();
    expect(first.events.filter((e) => e.type === "task" && e.error)).toEqual([]);
    expect(first.ran).toEqual(["join", "list", "make:a", "make:b"]);
    expect(first.events.filter((event) => event.type === "plan").map(({ tasks }) => tasks)).toEqual([2, 4]);
    expect((await built.build()).summary).toMatchObject({ fresh: 4, ran: 0 });

    built.write("params.yaml", "names: [b, c]\n");
    const second = await built.build();
    expect(second.ran).toEqual(["join", "list", "make:c"]);
    expect([built.has("made/a.txt"), built.has("joined/a.txt"), built.has("joined/c.txt")]).toEqual([
      false,
      false,
      true,
    ]);

    built.write("params.yaml", "names: [a, b]\n");
    const undone = await built.build();
    expect([undone.ran, undone.restored]).toEqual([[], ["join", "list", "make:a"]]);
    expect([built.has("made/c.txt"), built.has("made/a.txt"), built.has("joined/a.txt")]).toEqual([
      false,
      true,
      true,
    ]);
  });
});
