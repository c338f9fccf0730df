/** Files of every name, number and kind: lq handles each one, or refuses it with its name. */
import { readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";

test("names with spaces, quotes, newlines, letters of all sorts and leading dashes", async () => {
  const names = [
    "two words",
    "it's",
    '"said"',
    "new\nline",
    "ünïcödé 字",
    "-rf",
    "--",
    "$(touch hacked)",
    "a;b",
    "#x",
    "tab\there",
    "back\\slash",
  ];
  const project = cliProject({
    "pipeline.yaml": `version: 1
axes:
  name: { glob: "src/*.txt" }
rules:
  shell: { each: [name], cmd: "cat \${in} > \${out}", in: "src/\${name}.txt", out: "shell/\${name}" }
  list: { each: [name], cmd: [cp, "\${in}", "\${out}"], in: "shell/\${name}", out: "\${name}.out" }
  all: { cmd: "find \${in} -type f -print0 | sort -z | xargs -0 cat -- > \${out}", in: shell/, out: all }
`,
  });
  for (const name of names) project.write(`src/${name}.txt`, `${JSON.stringify(name)}\n`);
  const { code, stderr } = await project.lq("build");
  expect([code, stderr]).toEqual([0, ""]);
  for (const name of names) expect(project.read(`${name}.out`)).toBe(`${JSON.stringify(name)}\n`);
  expect(project.read("all").split("\n")).toHaveLength(names.length + 1);
  expect(project.has("hacked")).toBe(false);
  expect((await project.built()).summary).toMatchObject({ fresh: 2 * names.length + 1, ran: 0 });
});

test("names that are not UTF-8 are refused if a task uses them", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  each: { each: { name: { glob: "src/*" } }, cmd: "cp \${in} \${out}", in: "src/\${name}", out: "each/\${name}" }
  all: { cmd: "cat \${in}* > \${out}", in: dir/, out: all.txt }
  made: { cmd: "touch \${out}$(printf 'f\\\\374r')", out: made/ }
`,
    "src/a": "",
    "dir/a": "",
  });
  const latin1 = (dir: string): Buffer =>
    Buffer.concat([Buffer.from(project.path(dir)), Buffer.from("/f\xfcr", "latin1")]);
  writeFileSync(latin1("dir"), "");
  expect(await project.lq("build", "all")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("the name of dir/f\ufffdr is not valid UTF-8") as string,
  });
  expect(await project.lq("build", "made")).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/the name of .*f\ufffdr is not valid UTF-8/) as string,
  });
  // Such a name elsewhere does not matter.
  await project.built("each");
  writeFileSync(latin1("src"), "");
  expect(await project.lq("build", "each")).toMatchObject({
    code: 2,
    stderr: expect.stringContaining("the name of src/f\ufffdr is not valid UTF-8") as string,
  });
});

test("ten thousand files in a directory, as an output and as an input", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  many: { cmd: "cd \${out}; seq 10000 | tr -d 0-9 | split -l 1 -a 4 -", in: seed.txt, out: many/ }
  count: { cmd: "find \${in} -type f | wc -l > \${out}", in: many/, out: count.txt }
`,
    "seed.txt": "1",
  });
  await project.built();
  expect(project.read("count.txt").trim()).toBe("10000");
  rmSync(project.path("many"), { recursive: true });
  expect((await project.built()).summary).toMatchObject({ restored: 1, fresh: 1, ran: 0 });
  expect(readdirSync(project.path("many"))).toHaveLength(10_000);
});

describe("symbolic links", () => {
  test("as inputs stand for their targets, inside and outside the project", async () => {
    const outside = cliProject({ "real.txt": "far\n", "dir/x": "far too\n" });
    const project = cliProject({
      "pipeline.yaml": `version: 1
rules:
  files: { cmd: "cat \${in} > \${out}", in: [near.txt, far.txt], out: files.txt }
  tree: { cmd: "cat \${in}x > \${out}", in: tree/, out: tree.txt }
`,
      "real.txt": "near\n",
    });
    symlinkSync("real.txt", project.path("near.txt"));
    symlinkSync(outside.path("real.txt"), project.path("far.txt"));
    symlinkSync(outside.path("dir"), project.path("tree"));
    await project.built();
    expect([project.read("files.txt"), project.read("tree.txt")]).toEqual(["near\nfar\n", "far too\n"]);
    outside.write("real.txt", "further\n");
    outside.write("dir/x", "further too\n");
    expect((await project.built()).summary).toMatchObject({ ran: 2 });
    expect([project.read("files.txt"), project.read("tree.txt")]).toEqual([
      "near\nfurther\n",
      "further too\n",
    ]);
  });

  test("that form a loop, or whose target is missing, are named in the error", async () => {
    const project = cliProject({
      "pipeline.yaml": `version: 1\nrules:\n  x: { cmd: "cat \${in} > \${out}", in: loop, out: x }\n  y: { cmd: "ls \${in} > \${out}", in: dir/, out: y }\n`,
      "dir/file": "",
    });
    symlinkSync("loop", project.path("loop"));
    symlinkSync("..", project.path("dir/up"));
    const x = await project.lq("build", "x");
    expect([x.code, x.stderr]).toEqual([2, expect.stringContaining("loop")]);
    const y = await project.lq("build", "y");
    expect([y.code, y.stderr]).toEqual([
      2,
      expect.stringContaining("dir/up is a symbolic link to a directory that contains it"),
    ]);
    expect(x.stderr + y.stderr).not.toContain("    at ");
  });

  test("are not accepted as outputs; in a directory output they stand for their targets", async () => {
    const project = cliProject({
      "secret.txt": "content\n",
      "pipeline.yaml": `version: 1
rules:
  link: { cmd: "ln -s /etc/passwd \${out}", out: link.txt }
  tree: { cmd: "ln -s $PWD/secret.txt \${out}link; touch \${out}file", out: tree/ }
`,
    });
    const failed = await project.lq("build", "link");
    expect([failed.code, failed.stdout]).toEqual([
      1,
      expect.stringContaining('its output "link.txt" is a symbolic link, not a file'),
    ]);
    await project.built("tree");
    rmSync(project.path("tree"), { recursive: true });
    expect((await project.built("tree")).summary).toMatchObject({ restored: 1 });
    expect(project.read("tree/link")).toBe("content\n");
    expect((await project.built("tree")).summary).toMatchObject({ fresh: 1 });
  });

  test("that a person puts in an output's place are not written through; a link to a folder is kept", async () => {
    const outside = cliProject({ "one.txt": "1\n", "two/x": "1\n" });
    const project = cliProject({
      "pipeline.yaml": `version: 1
rules:
  one: { cmd: "cat \${in} > \${out}", in: in.txt, out: one.txt }
  two: { cmd: "cat \${in} > \${out}x", in: in.txt, out: two/ }
`,
      "in.txt": "1\n",
    });
    const putLinks = (): void => {
      for (const path of ["one.txt", "two"]) {
        project.remove(path);
        symlinkSync(outside.path(path), project.path(path));
      }
    };
    await project.built();
    // Their targets have the content of the outputs, so nothing has to run until something changes.
    putLinks();
    expect((await project.built()).summary).toMatchObject({ fresh: 2 });
    project.write("in.txt", "2\n");
    const { code, stderr } = await project.lq("build");
    expect([code, stderr]).toEqual([2, expect.stringContaining("two/ is a symbolic link to ")]);
    expect((await project.json("build", "-f")).at(-1)).toMatchObject({ ran: 2 });
    expect([project.read("one.txt"), project.read("two/x")]).toEqual(["2\n", "2\n"]);
    // The cache has the content of the target of the file's link.
    project.remove("one.txt");
    symlinkSync(outside.path("one.txt"), project.path("one.txt"));
    expect((await project.built()).summary).toMatchObject({ restored: 1 });
    expect([project.read("one.txt"), project.read("two/x")]).toEqual(["2\n", "2\n"]);
    expect([outside.read("one.txt"), outside.read("two/x")]).toEqual(["1\n", "1\n"]);
    // Their targets have other content: this is an edit, and the user has to decide.
    putLinks();
    for (const path of ["one.txt", "two/x"]) outside.write(path, "3\n");
    expect((await project.lq("build")).code).toBe(2);
    expect((await project.lq("clean")).stdout).toContain("0 outputs removed, 2 kept");
    expect((await project.json("build", "-f", "one", "two")).at(-1)).toMatchObject({ ran: 2 });
    expect((await project.lq("clean")).stdout).toContain("2 outputs removed, 0 kept");
    expect([outside.read("one.txt"), outside.read("two/x")]).toEqual(["3\n", "3\n"]);
  });
});
