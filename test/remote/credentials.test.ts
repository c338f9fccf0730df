/** Credentials of a remote cache: who gets them, and who never sees them. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { CacheServer } from "../helpers/cache-server.ts";
import { cliProject } from "../helpers/cli.ts";
import { built, clone, TASKS } from "./remote-project.ts";

const SECRET = "s3cret-of-the-cache";
const BASIC = `Basic ${Buffer.from(`ann:${SECRET}`).toString("base64")}`;

test.each([
  [{ LQ_REMOTE_USER: "ann", LQ_REMOTE_PASSWORD: SECRET }, BASIC],
  [{ LQ_REMOTE_TOKEN: SECRET }, `Bearer ${SECRET}`],
])("go with each request: %j", async (variables, header) => {
  const server = await CacheServer.start();
  server.fault = ({ headers }, response) =>
    headers.authorization !== header && !!response.writeHead(401).end();
  const { ran, warnings, summary } = await built(clone(`{ remote: "${server.url}", push: true }`), variables);
  expect([ran, warnings]).toEqual([TASKS, []]);
  expect(summary).toMatchObject({ uploaded: 13 });
});

test("are not given to another server that a redirect leads to", async () => {
  const [asked, other] = [await CacheServer.start(), await CacheServer.start()];
  asked.fault = ({ url }, response) =>
    !!response.writeHead(307, { location: new URL(url ?? "", other.url).href }).end();
  const variables = { LQ_REMOTE_TOKEN: SECRET };
  const { summary } = await built(clone(`{ remote: "${asked.url}", push: true }`), variables);
  expect(summary).toMatchObject({ ran: 13, uploaded: 13 });
  expect(new Set(asked.seen.map(({ authorization }) => authorization))).toEqual(
    new Set([`Bearer ${SECRET}`]),
  );
  expect(new Set(other.seen.map(({ authorization }) => authorization))).toEqual(new Set([undefined]));
  // On the same server they go along.
  asked.fault = ({ url = "" }, response) =>
    !url.startsWith("/moved/") && !!response.writeHead(307, { location: `/moved${url}` }).end();
  asked.seen.length = 0;
  await built(clone(`{ remote: "${asked.url}", push: true }`), variables);
  expect(new Set(asked.seen.map(({ authorization }) => authorization))).toEqual(
    new Set([`Bearer ${SECRET}`]),
  );
});

test("are in no file, no output of lq, and no environment of a task", async () => {
  const server = await CacheServer.start();
  const project = cliProject({
    "module.ts": `import { task } from "lq";
import { writeFileSync } from "node:fs";
export default task({ run({ output }) { writeFileSync(output(), JSON.stringify(process.env)); } });
`,
    "pipeline.yaml": `version: 1
cache: { remote: "${server.url}", push: true }
rules:
  shell: { cmd: "env > \${out}", out: shell.txt }
  plain: { cmd: "printenv -0 > \${out}", out: plain.txt }
  declared: { cmd: "env > \${out}", out: declared.txt, env: [LQ_REMOTE_PASSWORD] }
  module: { run: module.ts, out: module.json }
`,
  });
  const variables = { LQ_REMOTE_USER: SECRET, LQ_REMOTE_PASSWORD: SECRET, LQ_DEBUG: "all" };
  const { code, stdout, stderr } = await project.lqIn(variables, "build", "--json");
  expect(stdout).not.toContain('"outcome":"failed"');
  expect([code, stderr.includes(SECRET), stdout.includes(SECRET)]).toEqual([0, false, false]);
  for (const words of [["run", "shell"], ["run", "shell", "--print"], ["history"], ["trace", "shell.txt"]]) {
    const other = await project.lqIn(variables, ...words);
    expect([words, (other.stdout + other.stderr).includes(SECRET)]).toEqual([words, false]);
  }
  for (const each of readdirSync(project.root, { recursive: true, withFileTypes: true }))
    if (each.isFile()) expect(readFileSync(join(each.parentPath, each.name)).includes(SECRET)).toBe(false);
  for (const content of server.files.values()) expect(content.includes(SECRET)).toBe(false);
});

test.each([
  [`{ remote: "http://ann:${SECRET}@host/lq" }`, "pipeline.yaml:2:18: error: ", "user name or a password"],
  [`{ remote: "s3://ann:${SECRET}@bucket" }`, "pipeline.yaml:2:18: error: ", "user name or a password"],
  [`{ remote: "http://ann:${SECRET}@host/lq", pusch: true }`, "pipeline.yaml:2:", "unknown key"],
  [`"http://ann:${SECRET}@host"`, "pipeline.yaml:2:8: error: ", "must be a map"],
  [`{ remote: "ftp://${SECRET}" }`, "pipeline.yaml:2:18: error: ", "must be a URL that begins with"],
  [`{ remote: "http://host/?${SECRET}" }`, "pipeline.yaml:2:18: error: ", 'a "?"'],
])("in the URL are refused: %s", async (cache, place, message) => {
  const project = clone(cache);
  for (const words of [["build"], ["status", "--json"]]) {
    const { code, stdout, stderr } = await project.lq(...words);
    expect(code).toBe(2);
    expect(stderr).toContain(place);
    expect(stderr).toContain(message);
    if (cache.includes("@")) expect(stdout + stderr).not.toContain(SECRET);
  }
});

test.each([
  [{ LQ_REMOTE: `http://ann:${SECRET}@host` }, "LQ_REMOTE has a user name or a password in its URL"],
  [{ LQ_REMOTE_USER: "ann" }, "LQ_REMOTE_USER is set alone"],
  [{ LQ_REMOTE_PASSWORD: SECRET }, "LQ_REMOTE_PASSWORD is set alone"],
  [{ LQ_REMOTE_TOKEN: `${SECRET}\n` }, "LQ_REMOTE_TOKEN has a blank"],
  [{ LQ_REMOTE_TOKEN: SECRET, LQ_REMOTE_USER: "ann" }, "LQ_REMOTE_TOKEN is set, and LQ_REMOTE_USER"],
])("that are wrong are refused before anything runs: %j", async (variables, message) => {
  const project = clone('{ remote: "http://127.0.0.1:9" }');
  const { code, stdout, stderr } = await project.lqIn(variables, "build");
  expect([code, stdout]).toEqual([2, ""]);
  expect(stderr).toContain(`error: ${message}`);
  expect(stderr).not.toContain(SECRET);
  expect(project.has("copies")).toBe(false);
});
