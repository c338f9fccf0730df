/** `lq build --ui` and `lq watch --ui`: the page lives as long as the command. */
import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { cliProject } from "../helpers/cli.ts";
import { get, hasChromium, openPage } from "./ui.ts";

const WAITING = `version: 1
rules:
  gate: { cmd: "echo > began; cat open > \${out}", out: gate.txt }
`;

function waiting() {
  const project = cliProject({ "pipeline.yaml": WAITING });
  execFileSync("mkfifo", [project.path("open")]);
  return project;
}

/** The address that the page's process printed. */
function addressIn(lines: readonly string[]): { readonly url: string; readonly port: number } {
  const url = lines.find((line) => line.startsWith("http://127.0.0.1:")) ?? "";
  return { url, port: Number(/:(\d+)\//.exec(url)?.[1]) };
}

async function isServed(url: string, port: number): Promise<boolean> {
  return get({ port }, new URL(url).pathname).then(
    ({ status }) => status === 200,
    () => false,
  );
}

test.skipIf(!hasChromium)("lq build --ui serves the page until the build's end, and shows it", async () => {
  const project = waiting();
  const build = project.start("build", "--ui");
  const { url, port } = addressIn(await build.line("http://127.0.0.1:"));
  await project.appears("began");
  const page = await openPage(url);
  await page.locator(".badge", { hasText: "building" }).waitFor();
  execFileSync("sh", ["-c", "echo go > open"], { cwd: project.root });
  const { code, stdout } = await build.ended;
  expect([code, stdout]).toEqual([0, expect.not.stringContaining("http://")]);
  await page.locator(".badge", { hasText: "done" }).waitFor();
  await expect.poll(() => isServed(url, port)).toBe(false);
});

test("the page of a build that is killed ends too", async () => {
  const project = waiting();
  const build = project.start("build", "--ui");
  const { url, port } = addressIn(await build.line("http://127.0.0.1:"));
  await project.appears("began");
  expect(await isServed(url, port)).toBe(true);
  build.kill("SIGKILL");
  await expect.poll(() => isServed(url, port)).toBe(false);
});

test("lq watch --ui serves the page from build to build", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1\nrules:\n  a: { cmd: "cat \${in} > \${out}", in: x, out: y }\n`,
    x: "1",
  });
  const watch = project.start("watch", "--ui");
  const { url, port } = addressIn(await watch.line("http://127.0.0.1:"));
  await watch.line("waiting for changes");
  project.write("x", "2");
  await watch.line("waiting for changes");
  expect(await isServed(url, port)).toBe(true);
  watch.kill("SIGINT");
  await watch.ended;
  await expect.poll(() => isServed(url, port)).toBe(false);
});

test("a dry run has no page", async () => {
  const { code, stderr } = await waiting().lq("build", "-n", "--ui");
  expect([code, stderr]).toEqual([2, expect.stringContaining("a dry run has no page")]);
});
