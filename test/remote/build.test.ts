/** Builds with a remote cache. */
import { expect, test } from "vitest";
import { CacheServer } from "../helpers/cache-server.ts";
import { built, clone, NAMES, TASKS } from "./remote-project.ts";

test("what one machine makes, a clean clone restores with few requests and no upload", async () => {
  const server = await CacheServer.start();
  const cache = `{ remote: "${server.url}", push: true }`;
  const one = await built(clone(cache));
  expect(one).toMatchObject({ code: 0, ran: TASKS, restored: [], warnings: [] });
  expect(one.summary).toMatchObject({ ran: 13, uploaded: 13, downloaded: 0 });
  const puts = server.paths("PUT");
  expect(new Set(puts).size).toBe(puts.length);
  expect(server.names("ac")).toHaveLength(13);
  // Equal contents are one blob: the text of a case is in its copy and in its tree.
  expect(server.names("cas")).toHaveLength(13 + 2 * NAMES.length + 1);
  expect(
    server.seen.filter(({ method, chunked, length }) => method === "PUT" && (chunked || !length)),
  ).toEqual([]);

  const before = server.seen.length;
  const clean = clone(cache);
  const two = await built(clean);
  expect(two).toMatchObject({ code: 0, ran: [], restored: TASKS, warnings: [] });
  expect(two.summary).toMatchObject({ restored: 13, uploaded: 0, downloaded: 13 });
  expect(server.paths("PUT")).toEqual(puts);
  expect(server.seen.length - before).toBeLessThanOrEqual(3 * 13 + 30);
  expect(clean.read("sum.txt")).toContain("echo a");
  expect((await clean.lq("run", "tree:a")).code).toBe(0);
  expect((await clean.lq("cache", "verify")).stdout).toContain("13 actions verified\n");
});

test("a fresh build sends no request, and neither do status, plan and a dry run", async () => {
  const server = await CacheServer.start();
  const project = clone(`{ remote: "${server.url}" }`);
  for (const words of [["status"], ["plan"], ["build", "-n"]]) {
    const { stdout } = await project.lq(...words);
    expect(stdout).toContain(`the remote cache ${server.url} was not asked`);
  }
  expect(server.seen).toEqual([]);
  expect((await built(project)).ran).toEqual(TASKS);
  // Without `push`, nothing is sent.
  expect(new Set(server.seen.map(({ method }) => method))).toEqual(new Set(["GET"]));
  const asked = server.seen.length;
  expect((await project.lq("build")).stdout).toContain("13 fresh");
  expect((await built(project)).summary).toMatchObject({ fresh: 13 });
  expect((await project.lq("status")).stdout).toBe("all 13 tasks fresh\n");
  expect(server.seen).toHaveLength(asked);
});

test("only what the changed source leads to runs; the rest comes from the remote cache", async () => {
  const server = await CacheServer.start();
  const cache = `{ remote: "${server.url}", push: true }`;
  await built(clone(cache));
  const project = clone(cache);
  project.write("src/b.txt", "another content\n");
  const next = await built(project);
  // \`run\` in the tree is as before, and so the sum: its key has another tree digest, though.
  expect(next.ran).toEqual(["copy:b", "sum", "tree:b"]);
  expect(next.restored).toEqual(TASKS.filter((task) => !next.ran.includes(task)));
  expect(next.summary).toMatchObject({ uploaded: 3 });
  const puts = server.paths("PUT");
  expect(new Set(puts).size).toBe(puts.length);
});

test("a key that is known only after a task has run is asked for as well", async () => {
  const server = await CacheServer.start();
  const cache = `{ remote: "${server.url}", push: true }`;
  await built(clone(cache));
  const project = clone(cache);
  // The result of the changed command is the same as before, so what comes after it is restored.
  project.write(
    "pipeline.yaml",
    project.read("pipeline.yaml").replace('"cat ${in} > ${out}"', '"cat < ${in} > ${out}"'),
  );
  const next = await built(project);
  expect(next.ran).toEqual(TASKS.filter((task) => task.startsWith("copy:")));
  expect(next.restored).toEqual(TASKS.filter((task) => !task.startsWith("copy:")));
});

test("LQ_REMOTE and LQ_REMOTE_PUSH go over pipeline.yaml", async () => {
  const [one, two] = [await CacheServer.start(), await CacheServer.start()];
  const cache = `{ remote: "${one.url}", push: true }`;
  await built(clone(cache), { LQ_REMOTE: two.url });
  expect([one.seen.length, two.names("ac").length]).toEqual([0, 13]);
  await built(clone(cache), { LQ_REMOTE: "" });
  expect(one.seen).toEqual([]);
  await built(clone(cache), { LQ_REMOTE_PUSH: "0" });
  expect(one.paths("PUT")).toEqual([]);
  await built(clone(`{ remote: "${one.url}" }`), { LQ_REMOTE_PUSH: "1" });
  expect(one.names("ac")).toHaveLength(13);
  for (const [name, value] of [
    ["LQ_REMOTE", "ftp://host/x"],
    ["LQ_REMOTE_PUSH", "yes"],
  ] as const) {
    const { code, stderr } = await clone(cache).lqIn({ [name]: value }, "build");
    expect([code, stderr.startsWith(`error: ${name} `)]).toEqual([2, true]);
  }
});
