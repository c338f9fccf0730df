import { describe, expect, it } from "vitest";
import { Project } from "./project.ts";

const COPIES = `version: 1
axes:
  name: [a, b]
rules:
  copy:
    each: { name: name }
    cmd: "cat \${in} > \${out}"
    in: "src/\${name}.txt"
    out: "out/\${name}.txt"
  join:
    cmd: "cat \${in}/*.txt | sort > \${out}"
    in: out/
    out: all.txt
`;

describe("build", () => {
  it("runs what is needed, once, in order", async () => {
    const project = new Project({ "pipeline.yaml": COPIES, "src/a.txt": "1\n", "src/b.txt": "2\n" });
    const first = await project.build();
    expect(first.events.filter((e) => e.type === "task" && e.error)).toEqual([]);
    expect(first.ran).toEqual(["copy:a", "copy:b", "join"]);
    expect(project.read("all.txt")).toBe("1\n2\n");
    const second = await project.build();
    expect(second.summary).toMatchObject({ ran: 0, restored: 0, fresh: 3, failed: 0, skipped: 0 });
  });
});
