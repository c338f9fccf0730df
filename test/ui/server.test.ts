/** `lq ui` without a browser: which requests it answers, which files it sends, and that it writes nothing. */
import { execFileSync } from "node:child_process";
import { existsSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { expect, test } from "vitest";
import { FILES, built } from "../cli/table-project.ts";
import { cliProject } from "../helpers/cli.ts";
import { testFolder } from "../helpers/folder.ts";
import { get, startUi, type Answer, type Ui } from "./ui.ts";

/** Waits until the server has read the project. */
async function projectOf(
  ui: Ui,
): Promise<{ readonly rules: readonly { readonly name: string }[]; readonly error: string | null }> {
  for (;;) {
    const { text } = await get(ui, `/${ui.token}/api/snapshot`);
    const { project } = JSON.parse(text) as { project: Awaited<ReturnType<typeof projectOf>> | null };
    if (project !== null) return project;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function expectRefused(answer: Answer, status: number): void {
  expect(answer.status).toBe(status);
  expect(answer.text).not.toMatch(/train|models|pipeline/);
  expectHeaders(answer);
}

function expectHeaders({ headers }: Answer): void {
  expect(headers["content-security-policy"]).toContain("default-src 'none'");
  expect(headers).toMatchObject({
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
    "cross-origin-resource-policy": "same-origin",
  });
  expect(headers["access-control-allow-origin"]).toBeUndefined();
}

test("the server answers only requests with the token, from this host's address, by GET or HEAD", async () => {
  const ui = await startUi(await built());
  expect(Buffer.from(ui.token, "base64url").length).toBeGreaterThanOrEqual(16);
  const page = await get(ui, `/${ui.token}/`);
  expect(page.status).toBe(200);
  expectHeaders(page);
  for (const path of ["/", "/api/snapshot", `/${ui.token}x/`, `/${ui.token.slice(1)}/`, "/%00/", "//"])
    expectRefused(await get(ui, path), 403);
  for (const host of ["evil.example", "127.0.0.1.evil.example", "localhost@evil", "[::2]"])
    expectRefused(await get(ui, `/${ui.token}/api/snapshot`, { headers: { host } }), 403);
  for (const host of ["localhost:9999", "127.0.0.1:1", "[::1]:8474", "LOCALHOST"])
    expect((await get(ui, `/${ui.token}/`, { headers: { host } })).status).toBe(200);
  const host = `127.0.0.1:${ui.port}`;
  for (const origin of ["null", "http://evil.example", `https://${host}`, "http://127.0.0.1:1"])
    expectRefused(await get(ui, `/${ui.token}/api/snapshot`, { headers: { host, origin } }), 403);
  const own = { host, origin: `http://${host}` };
  expect((await get(ui, `/${ui.token}/`, { headers: own })).status).toBe(200);
  for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
    expectRefused(await get(ui, `/${ui.token}/api/snapshot`, { method }), 405);
  const head = await get(ui, `/${ui.token}/api/snapshot`, { method: "HEAD" });
  expect([head.status, head.text]).toEqual([200, ""]);
  for (const path of ["api/file", "api/watched", "api/constructor", "app.js.map", "../cli.cjs", "%E0%A4%A"]) {
    const answer = await get(ui, `/${ui.token}/${path}`);
    expect([400, 404]).toContain(answer.status);
    expectHeaders(answer);
  }
});

test("the server sends files that the graph names and no others, whatever links there are", async () => {
  const project = await built();
  const outside = testFolder({ "secret.txt": "secret" });
  project.write("secret.txt", "secret");
  const ui = await startUi(project);
  await projectOf(ui);
  const file = (path: string) => get(ui, `/${ui.token}/files/${path}`);

  const table = await file("table.md");
  expect([table.status, table.text]).toEqual([200, project.read("table.md")]);
  expect(table.headers["content-security-policy"]).toMatch(/^sandbox; default-src 'none'/);
  expect((await file("data/corpus.txt")).text).toBe("corpus\n");
  for (const path of [
    ...["secret.txt", "pipeline.yaml", "cache/state/log", "models", "models/", "scores/", "", "nothing.txt"],
    ...["models/../secret.txt", "./table.md", "models/..%2fsecret.txt", "%2fetc%2fpasswd", "/etc/passwd"],
    ...["models/small.txt/../../secret.txt", "table.md%00.txt", "table.mdx", "..%2f..%2fetc%2fpasswd"],
  ]) {
    const answer = await file(path);
    expect([path, answer.status]).toEqual([path, 404]);
    expect(answer.text).not.toContain("secret\n");
  }
  // Someone has replaced an output by a link to a file outside the project.
  execFileSync("rm", [project.path("models/small.txt"), project.path("models/large.txt")]);
  symlinkSync(join(outside, "secret.txt"), project.path("models/small.txt"));
  execFileSync("mkfifo", [project.path("models/large.txt")]);
  expect((await file("models/small.txt")).status).toBe(404);
  expect((await file("models/large.txt")).status).toBe(404);
  // A link to another file of the project gives access only to that file.
  execFileSync("rm", ["-r", project.path("data")]);
  symlinkSync(outside, project.path("data"));
  writeFileSync(join(outside, "corpus.txt"), "secret");
  expect((await file("data/corpus.txt")).status).toBe(404);
});

test("the server sends a declared source outside the project, and no other file in its folder", async () => {
  const folder = testFolder({ "a.txt": "declared", "b.txt": "not declared" });
  const project = cliProject({
    "pipeline.yaml": `version: 1\nrules:\n  copy:\n    cmd: "cat \${in} > \${out}"\n    in: ${folder}/a.txt\n    out: a.txt\n`,
  });
  const ui = await startUi(project);
  await projectOf(ui);
  const path = (name: string) => `/${ui.token}/files/${encodeURIComponent(`${folder}/${name}`)}`;
  expect((await get(ui, path("a.txt"))).text).toBe("declared");
  expect((await get(ui, path("b.txt"))).status).toBe(404);
});

test("the server changes nothing in the project, not even damaged actions of its cache", async () => {
  const project = await built();
  execFileSync("sh", ["-c", "find cache -path '*actions*' -type f -exec truncate -s 20 {} +"], {
    cwd: project.root,
  });
  const tree = () => {
    const format = "%p %T@ %C@ %s %i\\n";
    return execFileSync("find", [project.root, "-printf", format], { encoding: "utf8" }).split("\n").sort();
  };
  const before = tree();
  const ui = await startUi(project);
  await projectOf(ui);
  for (const question of [
    ...["project", "results", "task?id=train:small", "build?number=1", "log?task=train:small"],
    'trace?target=table.md&cell=["small","Dice"]',
  ])
    await get(ui, `/${ui.token}/api/${encodeURI(question)}`);
  await get(ui, `/${ui.token}/files/table.md`);
  ui.process.kill("SIGINT");
  expect((await ui.process.ended).code).toBe(130);
  expect(tree()).toEqual(before);
});

test("lq ui refuses a port that is in use, and without --port takes the next free one", async () => {
  const project = cliProject(FILES);
  const other = createServer();
  await new Promise<void>((done) => other.listen(0, "127.0.0.1", done));
  const { port } = other.address() as { port: number };
  const { code, stderr } = await project.lq("ui", "--port", String(port));
  expect([code, stderr]).toEqual([2, expect.stringContaining(`port ${port} is taken`)]);
  other.close();
  const [first, second] = [await startUi(project, "--port", "0"), await startUi(project, "--port", "0")];
  expect(first.token).not.toBe(second.token);
  const home = project.start("ui", "--port", "0");
  await home.line("http://127.0.0.1:");
  for (const wrong of ["-1", "65536", "x"]) expect((await project.lq("ui", "--port", wrong)).code).toBe(2);
});

test("in an ssh session it says what to type on the user's own machine", async () => {
  const project = cliProject(FILES);
  const ended = project.lqIn({ SSH_CONNECTION: "10.0.0.1 1 10.0.0.2 22" }, "ui", "--port", "70000");
  expect((await ended).code).toBe(2);
  const { spawn } = await import("node:child_process");
  const { HOME } = await import("../helpers/bundle.ts");
  const env = { ...process.env, SSH_CONNECTION: "10.0.0.1 1 10.0.0.2 22" };
  const child = spawn(process.execPath, [`${HOME}dist/cli.cjs`, "ui", "--port", "0", "--open"], {
    cwd: project.root,
    env,
  });
  let said = "";
  await new Promise<void>((done) =>
    child.stdout.on("data", (part: Buffer) => {
      said += part.toString();
      if (said.includes("ssh -N -L")) done();
    }),
  );
  child.kill("SIGINT");
  const [, port = ""] = /127\.0\.0\.1:(\d+)\//.exec(said) ?? [];
  expect(said).toMatch(new RegExp(`ssh -N -L ${port}:127\\.0\\.0\\.1:${port} \\S+`));
});

test("only the user can open a unix socket, and lq replaces one that a killed server left", async () => {
  const project = cliProject(FILES);
  const socketPath = project.path("page.sock");
  const ui = await startUi(project, "--socket", "page.sock");
  expect(statSync(socketPath).mode & 0o777).toBe(0o600);
  expect((await get({ socketPath }, `/${ui.token}/`)).status).toBe(200);
  expect((await get({ socketPath }, "/")).status).toBe(403);
  expect((await project.lq("ui", "--socket", "page.sock")).stderr).toContain("is taken");
  ui.process.kill("SIGKILL");
  await ui.process.ended;
  expect(existsSync(socketPath)).toBe(true);
  await startUi(project, "--socket", "page.sock");
  project.write("file.txt", "no socket");
  expect((await project.lq("ui", "--socket", "file.txt")).code).toBe(2);
  expect(project.read("file.txt")).toBe("no socket");
});

test("the page shows errors of the project, and reads it again when they are corrected", async () => {
  const project = cliProject({ ...FILES, "pipeline.yaml": "version: 1\nrules: {}\n" });
  const ui = await startUi(project);
  expect((await projectOf(ui)).error).toContain("no rules");
  project.write("pipeline.yaml", FILES["pipeline.yaml"]);
  await expect
    .poll(async () => (await projectOf(ui)).rules.map(({ name }) => name))
    .toEqual(["train", "score", "table"]);
});
