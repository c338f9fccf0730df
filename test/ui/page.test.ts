/** The page in a real browser, beside real builds. */
import AxeBuilder from "axe-core";
import { expect, test } from "vitest";
import { built } from "../cli/table-project.ts";
import { cliProject } from "../helpers/cli.ts";
import { hasChromium, openPage, startUi } from "./ui.ts";

const browserTest = test.skipIf(!hasChromium);

const BUILDING = `version: 1
rules:
  first: { cmd: "echo 1 > \${out}", out: first.txt }
  gate:
    cmd: "echo waiting; echo > began; cat open; cat \${in} > \${out}"
    in: first.txt
    out: gate.txt
  broken: { cmd: "echo error no luck > \${out}; exit 3", out: broken.txt, in: gate.txt }
`;

browserTest("a build that begins while the page is open shows without a reload, to its end", async () => {
  const project = cliProject({ "pipeline.yaml": BUILDING });
  const { execFileSync } = await import("node:child_process");
  execFileSync("mkfifo", [project.path("open")]);
  const ui = await startUi(project);
  const page = await openPage(ui.url);
  const progress = page.getByRole("progressbar", { name: "Build progress" });
  await progress.waitFor();
  const build = project.start("build");
  await project.appears("began");
  await page.locator(".badge", { hasText: "building" }).waitFor();
  await expect.poll(() => progress.getAttribute("aria-valuenow"), { timeout: 8_000 }).toBe("1");
  await page.getByRole("table", { name: "By rule" }).getByText("gate").waitFor();
  await page.goto(`${ui.url}#/task/gate`);
  await page.getByRole("heading", { name: "gate", exact: true }).waitFor();
  await page.getByRole("region", { name: "Log", exact: true }).getByText("waiting").waitFor();
  await page.goto(`${ui.url}#/`);
  project.write("done", "");
  execFileSync("sh", ["-c", "echo go > open"], { cwd: project.root });
  expect((await build.ended).code).toBe(1);
  await page
    .getByRole("region", { name: /Failed/ })
    .getByText("exit code 3")
    .waitFor();
  await page.goto(`${ui.url}#/task/broken`);
  await page.getByRole("region", { name: "Why it ran" }).getByText("exit code 3").waitFor();
});

browserTest("a build that is killed is called cut short at once", async () => {
  const project = cliProject({ "pipeline.yaml": BUILDING });
  const { execFileSync } = await import("node:child_process");
  execFileSync("mkfifo", [project.path("open")]);
  const ui = await startUi(project);
  const page = await openPage(ui.url);
  const build = project.start("build");
  await project.appears("began");
  await page.locator(".badge", { hasText: "building" }).waitFor();
  build.kill("SIGKILL");
  await page.locator(".badge", { hasText: "cut short" }).waitFor();
});

browserTest(
  "a page whose server was stopped and goes on gets what it missed, and a dead server is named",
  async () => {
    const project = cliProject({ "pipeline.yaml": BUILDING });
    const { execFileSync } = await import("node:child_process");
    execFileSync("mkfifo", [project.path("open")]);
    const ui = await startUi(project);
    const page = await openPage(ui.url);
    const snapshots: string[] = [];
    page.on("request", (request) => {
      if (request.url().endsWith("/api/snapshot")) snapshots.push(request.url());
    });
    const build = project.start("build");
    await project.appears("began");
    await page.locator(".badge", { hasText: "building" }).waitFor();
    ui.process.kill("SIGSTOP");
    execFileSync("sh", ["-c", "echo go > open"], { cwd: project.root });
    expect((await build.ended).code).toBe(1);
    await page.getByRole("navigation").getByRole("link", { name: "Tasks" }).click();
    ui.process.kill("SIGCONT");
    await page.getByRole("navigation").getByRole("link", { name: "Overview" }).click();
    await page
      .getByRole("region", { name: /Failed/ })
      .getByText("exit code 3")
      .waitFor();
    // Messages went on from the last one; the page did not start again.
    expect(snapshots).toEqual([]);
    ui.process.kill("SIGKILL");
    await page.getByText("connection lost, trying again").waitFor();
  },
);

browserTest("names that look like markup are shown as text and run nothing", async () => {
  const names = [
    "<img src=x onerror=alert(1)>",
    "</script><script>alert(1)</script>",
    "\u202eabc",
    "a'b\"c&amp;",
    "%3Cb%3E",
    "<svg onload=alert(2)>",
    "javascript:alert(3)",
    '"><b>bold</b>',
    "' onmouseover='alert(4)",
    "{{7*7}}",
    "${1+1}",
    "<!-- comment",
    "]]>",
    "&lt;i&gt;",
    "a?b=c&d#e",
    "אבג",
    "\u2028line",
    "é\u0301",
    "`tick`",
    "#/results?show=x",
  ];
  const each = names.map((name) => JSON.stringify(name.replaceAll("/", "∕")));
  const project = cliProject({
    "pipeline.yaml": `version: 1\naxes: { n: [${each.join(", ")}] }\nrules:\n  odd:\n    each: { n: n }\n    cmd: "echo \${out} | tee \${out}"\n    out: "o/\${n}.txt"\n`,
  });
  await project.built();
  const ui = await startUi(project);
  const page = await openPage(ui.url);
  const dialogs: string[] = [];
  page.on("dialog", (dialog) => {
    dialogs.push(dialog.message());
    void dialog.dismiss();
  });
  await page.goto(`${ui.url}#/tasks`);
  for (const name of names)
    await page.getByText(`odd:${name.replaceAll("/", "∕")}`, { exact: true }).waitFor();
  await page.getByText(/onerror/).click();
  await page.getByRole("heading", { name: /onerror/ }).waitFor();
  expect(dialogs).toEqual([]);
  expect(await page.locator("img").count()).toBe(0);
});

browserTest("no page has a serious violation of accessibility, light or dark", async () => {
  const ui = await startUi(await built());
  for (const theme of ["light", "dark"] as const) {
    const page = await openPage(ui.url, theme);
    for (const hash of [
      "#/",
      "#/tasks",
      "#/task/train%3Asmall",
      "#/timeline",
      "#/results",
      "#/graph",
      "#/graph/train%3Asmall",
    ]) {
      await page.goto(ui.url + hash);
      await page.locator(".dot.on").waitFor();
      await page.waitForLoadState("networkidle", { timeout: 3_000 }).catch(() => undefined);
      await page.evaluate(AxeBuilder.source);
      const found = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: {
            run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string }[] }[] }>;
          };
        };
        const { violations } = await axe.run();
        return violations
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(
            ({ id, nodes }) =>
              `${id}: ${nodes
                .slice(0, 2)
                .map(({ html }) => html.slice(0, 160))
                .join(" | ")}`,
          );
      });
      expect([theme, hash, found]).toEqual([theme, hash, []]);
    }
  }
});

browserTest(
  "the graph shows the rules, opens a rule, and shows the tasks around a task by keyboard",
  async () => {
    const ui = await startUi(await built());
    const page = await openPage(`${ui.url}#/graph`);
    const rules = page.getByRole("region", { name: "Graph of the rules" });
    await rules.getByRole("link", { name: /^train fresh/ }).focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("ArrowLeft");
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "score:large" }).waitFor();
    expect(await page.getByRole("link", { name: /^train:/ }).count()).toBe(0);
    await page.goto(`${ui.url}#/task/score%3Asmall`);
    await page.getByRole("link", { name: "its graph" }).click();
    const around = page.getByRole("region", { name: "Graph of the tasks around this task" });
    for (const name of ["train:small", "score:small", "table"])
      await around.getByRole("link", { name: `${name} fresh` }).waitFor();
    expect(await around.getByRole("link").count()).toBe(3);
    await page.getByText("The same as a list").click();
    const list = page.getByRole("table", { name: "The graph as a list" });
    await list.getByRole("row", { name: /table.*score:small/ }).waitFor();
  },
);

browserTest(
  "around a task of very many readers stand at most 200 nodes, and the rest is counted",
  async () => {
    const names = Array.from({ length: 600 }, (_, i) => `n${i}`);
    const project = cliProject({
      "pipeline.yaml": `version: 1
axes: { n: [${names.join(", ")}] }
rules:
  one: { cmd: "echo > \${out}", out: one.txt }
  many: { each: { n: n }, cmd: "cat \${in} > \${out}", in: one.txt, out: "many/\${n}.txt" }
`,
    });
    const ui = await startUi(project);
    const page = await openPage(`${ui.url}#/graph/one`);
    const around = page.getByRole("region", { name: "Graph of the tasks around this task" });
    await around.getByRole("link", { name: "and 402 more of many" }).waitFor();
    expect(await around.getByRole("link").count()).toBe(200);
  },
);
