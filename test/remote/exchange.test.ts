/** `lq cache push`, `lq cache pull` and `lq lock pull` with a remote cache. */
import { expect, test } from "vitest";
import { CacheServer } from "../helpers/cache-server.ts";
import { cliProject } from "../helpers/cli.ts";
import { clone, TASKS } from "./remote-project.ts";

test("push sends what was made here, and goes on where it was interrupted", async () => {
  const server = await CacheServer.start();
  const project = clone(`{ remote: "${server.url}" }`);
  await project.built();
  expect(server.paths("PUT")).toEqual([]);
  const [first] = await project.json("cache", "push", "copy");
  expect(first).toEqual({ type: "push", uploaded: 6, there: 0, bytes: 6 * "content of a\n".length });
  // The server breaks down after some of the others.
  let puts = 0;
  server.fault = ({ method }, response) =>
    method === "PUT" && (puts += 1) > 9 && !!response.writeHead(500).end();
  const broken = await project.lq("cache", "push");
  expect([broken.code, broken.stdout]).toEqual([2, ""]);
  expect(broken.stderr).toContain(
    `error: the remote cache ${server.url} cannot be used: it has an error of its own`,
  );
  server.fault = null;
  const [next] = await project.json("cache", "push");
  expect(Number(next?.["uploaded"]) + Number(next?.["there"])).toBe(13);
  expect(Number(next?.["there"])).toBeGreaterThanOrEqual(6);
  const sent = server.paths("PUT").length;
  expect((await project.lq("cache", "push")).stdout).toBe("uploaded 0 (0 B), 13 there\n");
  expect(server.paths("PUT")).toHaveLength(sent);
  expect(server.names("ac")).toHaveLength(13);
});

test("pull fetches what current keys name into the local cache, and places nothing", async () => {
  const server = await CacheServer.start();
  const cache = `{ remote: "${server.url}", push: true }`;
  const one = clone(cache);
  await one.built();
  const two = clone(cache);
  two.write("src/b.txt", "another content\n");
  expect((await two.json("cache", "pull", "copy"))[0]).toMatchObject({ downloaded: 5, there: 0, absent: 1 });
  // The trees of the others are there; copy:b, its tree and the sum are not.
  expect((await two.json("cache", "pull"))[0]).toMatchObject({ downloaded: 5, there: 5, absent: 3 });
  expect([two.has("copies"), two.has("trees")]).toEqual([false, false]);
  expect((await two.lq("cache", "pull")).stdout).toBe("downloaded 0 (0 B), 10 there, 3 absent\n");
  await server.stop();
  const { ran, restored } = await two.build();
  expect(ran).toEqual(["copy:b", "sum", "tree:b"]);
  expect(restored).toEqual(TASKS.filter((task) => !ran.includes(task)));
});

test.each(["push", "pull"])(
  "%s without a remote cache, or with one that is down, is exit 2",
  async (action) => {
    const none = await clone("{}").lq("cache", action);
    expect([none.code, none.stderr]).toEqual([
      2,
      expect.stringContaining("error: the project has no remote cache"),
    ]);
    const project = clone('{ remote: "http://127.0.0.1:9" }');
    await project.built();
    if (action === "pull") project.remove("cache");
    const down = await project.lq("cache", action, "-q");
    expect([down.code, down.stdout]).toEqual([2, ""]);
    expect(down.stderr).toContain(
      "error: the remote cache http://127.0.0.1:9 cannot be used: the connection was refused",
    );
  },
);

test("verify and its like take no targets", async () => {
  const { code, stderr } = await clone("{}").lq("cache", "verify", "copy");
  expect([code, stderr]).toEqual([2, expect.stringContaining("error: lq cache verify takes no targets")]);
});

test("lock pull is served by a remote cache, without the sources", async () => {
  const server = await CacheServer.start();
  const pipeline = `version: 1
cache: { remote: "${server.url}", push: true }
rules:
  model: { cmd: "cat \${in} > \${out}", in: data.txt, out: model.bin, lock: true }
`;
  const one = cliProject({ "pipeline.yaml": pipeline, "data.txt": "secret data\n" });
  await one.built();
  const two = cliProject({ "pipeline.yaml": pipeline, "lq.lock": one.read("lq.lock") });
  expect((await two.lq("lock", "pull")).stdout).toBe("1 pulled:\n  model\n");
  expect(two.read("model.bin")).toBe("secret data\n");
  const three = cliProject({ "pipeline.yaml": pipeline, "lq.lock": one.read("lq.lock") });
  await server.stop();
  const without = await three.lq("lock", "pull");
  expect([without.code, without.stderr]).toEqual([1, expect.stringContaining("the connection was refused")]);
});

test("a task for a device that is not here is served", async () => {
  const server = await CacheServer.start();
  const pipeline = `version: 1
cache: { remote: "${server.url}", push: true }
rules:
  train: { cmd: "echo trained > \${out}", out: model.bin, slots: { gpu: 1 } }
`;
  const one = cliProject({ "pipeline.yaml": pipeline });
  expect((await one.lq("build", "--slots", "gpu=1")).code).toBe(0);
  const two = cliProject({ "pipeline.yaml": pipeline });
  const { code, stdout } = await two.lqIn({ PATH: "/usr/bin:/bin" }, "build", "--slots", "gpu=0");
  expect([code, stdout]).toEqual([0, expect.stringMatching(/1 restored, 1 downloaded in/)]);
});
