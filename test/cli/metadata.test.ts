/** What changes about an input other than its content costs no run. */
import { truncateSync } from "node:fs";
import { expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";

const CHANGES: readonly (readonly [string, (file: string) => string])[] = [
  ["chmod", (file) => `chmod 600 ${file}`],
  ["touch", (file) => `touch ${file}`],
  ["chown", (file) => `chown $(id -u) ${file}`],
  ["a hard link that is made and removed", (file) => `ln ${file} other; rm other`],
  ["a move away and back", (file) => `mv ${file} other; mv other ${file}`],
  ["the same bytes written again", (file) => `cat ${file} > other; cat other > ${file}`],
  ["a copy in its place", (file) => `cp ${file} other; mv other ${file}`],
];

test.each(CHANGES)("%s while a task runs: the run counts, and its outputs stay fresh", async (_, change) => {
  const project = cliProject({
    "in.txt": "1\n",
    "data/a": "2\n",
    "pipeline.yaml": `version: 1
rules:
  file: { cmd: 'cat \${in} > \${out}; echo file >> ran; ${change("in.txt")}', in: in.txt, out: file.txt }
  folder: { cmd: 'cat \${in}* > \${out}; echo folder >> ran; ${change("data/a")}', in: data/, out: folder.txt }
  made: { cmd: 'cat \${in} > \${out}; echo made >> ran; ${change("file.txt")}', in: file.txt, out: made.txt }
`,
  });
  const { code, stdout, stderr } = await project.lq("build", "-j", "1");
  expect([code, stdout + stderr]).toEqual([0, expect.not.stringContaining("changed while")]);
  expect(project.read("ran").split("\n").sort()).toEqual(["", "file", "folder", "made"]);
  expect(["file.txt", "folder.txt", "made.txt"].map((path) => project.read(path))).toEqual([
    "1\n",
    "2\n",
    "1\n",
  ]);
  expect((await project.json("build")).at(-1)).toMatchObject({ fresh: 3, ran: 0 });
});

test("a touched large file is compared too, and an edit that keeps its size is found", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  sum: { cmd: 'touch \${in}; cksum < \${in} > \${out}; echo >> ran', in: large.bin, out: sum.txt }
  edit: { cmd: 'cksum < \${in} > \${out}; [ -e edited ] || { touch edited; printf x | dd of=\${in} conv=notrunc status=none; }', in: other.bin, out: edit.txt }
`,
    "large.bin": "large",
    "other.bin": "other",
  });
  for (const file of ["large.bin", "other.bin"]) truncateSync(project.path(file), 9 << 20);
  const lines = await project.json("build");
  expect(lines.at(-1)).toMatchObject({ ran: 2, failed: 0 });
  expect(lines.flatMap(({ type, text }) => (type === "notice" ? [text] : []))).toEqual([
    "other.bin changed while edit ran: it runs again",
  ]);
  expect(project.read("ran")).toBe("\n");
});
