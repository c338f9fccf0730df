/** Uploads beside a build and after it. */
import { execFileSync, spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { CacheServer } from "../helpers/cache-server.ts";
import { cliProject } from "../helpers/cli.ts";
import { built, clone, TASKS } from "./remote-project.ts";

/** Lets requests wait until it is opened. */
class Gate {
  #open: () => void = () => undefined;
  readonly opened = new Promise<void>((resolve) => (this.#open = resolve));

  open(): void {
    this.#open();
  }
}

test("hold no slot, at most 8 go at once, and the end of a build waits for them", async () => {
  const server = await CacheServer.start();
  const gate = new Gate();
  let [now, most] = [0, 0];
  server.fault = async ({ method }, response) => {
    if (method !== "PUT") return false;
    most = Math.max(most, (now += 1));
    response.once("close", () => (now -= 1));
    await gate.opened;
    return false;
  };
  const lq = clone(`{ remote: "${server.url}", push: true }`).start("build", "-j", "1");
  // All tasks run on the one core, though not one upload ends.
  await lq.line("ran sum");
  const line = (await lq.line("uploading ")).at(-1);
  expect(line).toMatch(/^uploading \d+(\.\d)? (B|KiB), \d+(\.\d)? (B|KiB)\/s$/);
  gate.open();
  const { code, stdout } = await lq.ended;
  expect([code, stdout]).toEqual([0, expect.stringMatching(/13 ran, 13 uploaded in \d/)]);
  expect([most, server.names("ac").length]).toEqual([8, 13]);
});

test("Ctrl-C ends them at once; what was built is fresh, and lq cache push goes on", async () => {
  const server = await CacheServer.start();
  server.fault = ({ method }) => method === "PUT";
  const project = clone(`{ remote: "${server.url}", push: true }`);
  const lq = project.start("build", "--json");
  await lq.line('"type":"upload"');
  const since = performance.now();
  lq.kill("SIGINT");
  const { code, stdout } = await lq.ended;
  expect(performance.now() - since).toBeLessThan(5_000);
  expect([code, stdout.includes("not used any more")]).toEqual([130, false]);
  expect(stdout.trimEnd().split("\n").at(-1)).toContain('"ran":13');
  server.fault = null;
  expect((await built(project)).summary).toMatchObject({ fresh: 13, uploaded: 0 });
  expect((await project.json("cache", "push"))[0]).toMatchObject({ uploaded: 13, there: 0 });
});

test("Ctrl-C while results come leaves nothing half done", async () => {
  const server = await CacheServer.start();
  const cache = `{ remote: "${server.url}", push: true }`;
  await clone(cache).built();
  const project = clone(cache);
  const asked = new Gate();
  server.fault = ({ url = "" }) => {
    if (server.files.get(url.slice(1))?.toString().startsWith("content") !== true) return false;
    asked.open();
    return true;
  };
  const lq = project.start("build");
  await asked.opened;
  lq.kill("SIGINT");
  expect((await lq.ended).code).toBe(130);
  server.fault = null;
  expect(await built(project)).toMatchObject({ code: 0, ran: [], warnings: [] });
  expect((await project.lq("cache", "verify")).stdout).toMatch(/ and 13 actions verified\n$/);
});

test("are not made of results whose inputs changed, of accepted ones, and of failed ones", async () => {
  const server = await CacheServer.start();
  const project = cliProject({
    "a.txt": "a\n",
    "pipeline.yaml": `version: 1
cache: { remote: "${server.url}", push: true }
rules:
  changes: { cmd: "cat \${in} > \${out} && echo more >> a.txt", in: a.txt, out: changes.txt }
  fails: { cmd: "echo x > \${out} && exit 3", out: fails.txt }
  good: { cmd: "echo good > \${out}", out: good.txt }
`,
  });
  expect(await built(project, {}, "-k")).toMatchObject({
    code: 1,
    ran: ["good"],
    failed: ["changes", "fails"],
  });
  expect(server.names("ac")).toHaveLength(1);
  project.write("pipeline.yaml", project.read("pipeline.yaml").replace("echo good", "echo  good # ,"));
  const asked = server.seen.length;
  expect((await project.lq("accept", "good")).code).toBe(0);
  expect((await project.json("cache", "push", "good"))[0]).toMatchObject({ uploaded: 0 });
  expect([server.names("ac").length, server.paths("PUT").length]).toEqual([1, 3]);
  expect(server.seen.slice(asked).map(({ method }) => method)).toEqual(["GET"]);
});

test("a damaged object is not sent", async () => {
  const server = await CacheServer.start();
  const project = clone(`{ remote: "${server.url}" }`);
  await project.built();
  for (const file of execFileSync("grep", ["-rl", "echo b", project.path("cache/objects")], {
    encoding: "utf8",
  })
    .trim()
    .split("\n"))
    execFileSync("sh", ["-c", 'chmod u+w "$0" && echo damaged > "$0"', file]);
  await project.lq("cache", "push");
  for (const content of server.files.values()) expect(content.toString()).not.toContain("damaged");
  const next = await clone(`{ remote: "${server.url}" }`).built();
  expect(next.ran).toEqual(["sum", "tree:b"].filter((task) => next.ran.includes(task)));
  expect(next.notices).toEqual([]);
});

test.skipIf(spawnSync("rsync", ["--version"]).status !== 0)(
  "rsync brings results to a machine without a server",
  async () => {
    const [one, two] = [clone("{}"), clone("{}")];
    await one.built();
    two.write("cache/objects/.keep", "");
    const folders = ["cache/objects", "cache/actions"].map((folder) => one.path(folder));
    execFileSync("rsync", ["-a", "--ignore-existing", ...folders, two.path("cache/")]);
    expect((await two.built()).restored).toEqual(TASKS);
  },
);
