/** What a user removes from outputs without changing a byte of them is restored: empty folders, executable bits. */
import { chmodSync, rmdirSync, statSync } from "node:fs";
import { expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";

test("an empty output folder and a lost executable bit are restored, and readers do not run again", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  empty: { cmd: "true", out: empty/ }
  tool: { cmd: "printf '#!/bin/sh\\\\necho 1\\\\n' > \${out}; chmod +x \${out}", out: tool.sh }
  tools: { cmd: "for i in a b; do printf '#!/bin/sh\\\\necho 2\\\\n' > \${out}$i.sh; done; chmod +x \${out}a.sh", out: tools/ }
  use: { cmd: "test -d empty; { ./tool.sh; tools/a.sh; } > \${out}", in: [empty/, tool.sh, tools/], out: use.txt }
`,
  });
  await project.built();
  const isExecutable = (path: string): boolean => (statSync(project.path(path)).mode & 0o100) !== 0;
  rmdirSync(project.path("empty"));
  for (const path of ["tool.sh", "tools/a.sh"]) chmodSync(project.path(path), 0o644);
  expect((await project.lq("status")).stdout).toContain("1 fresh, 3 restorable");
  expect((await project.json("build")).at(-1)).toMatchObject({ ran: 0, restored: 3, fresh: 1 });
  expect([
    project.has("empty"),
    isExecutable("tool.sh"),
    isExecutable("tools/a.sh"),
    isExecutable("tools/b.sh"),
  ]).toEqual([true, true, true, false]);
  expect((await project.json("build")).at(-1)).toMatchObject({ ran: 0, restored: 0, fresh: 4 });
  // A bit more does no harm, and stays.
  chmodSync(project.path("tools/b.sh"), 0o755);
  expect((await project.json("build")).at(-1)).toMatchObject({ ran: 0, restored: 0, fresh: 4 });
  project.remove("use.txt");
  project.remove("cache/objects");
  expect((await project.json("build")).at(-1)).toMatchObject({ ran: 1, fresh: 3 });
  expect(project.read("use.txt")).toBe("1\n2\n");
});
