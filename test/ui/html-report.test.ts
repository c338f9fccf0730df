/** `lq report --html`: one file, in a real browser, without a server. */
import { pathToFileURL } from "node:url";
import { readdirSync, statSync, symlinkSync } from "node:fs";
import { expect, test } from "vitest";
import { built } from "../cli/table-project.ts";
import { cliProject } from "../helpers/cli.ts";
import { hasChromium, openPage } from "./ui.ts";

const browserTest = test.skipIf(!hasChromium);

browserTest("a report opens from its file and sends no request", async () => {
  const project = await built();
  const { code, stdout } = await project.lq("report", "--html", "report.html");
  expect([code, stdout]).toEqual([0, "wrote report.html, a report of build 1\n"]);
  const page = await openPage("about:blank");
  const requests: string[] = [];
  const errors: string[] = [];
  page.on("request", (request) => requests.push(request.url()));
  page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
  page.on("pageerror", (error) => errors.push(error.message));
  const url = pathToFileURL(project.path("report.html")).href;
  await page.goto(url);
  await page.getByRole("table", { name: "By rule" }).getByText("train").waitFor();
  await page.getByText("report of build 1").waitFor();
  await page.getByRole("link", { name: "Results" }).click();
  await page.getByRole("link", { name: /39/ }).first().click();
  const steps = page.getByRole("list", { name: "Steps down to the sources" });
  await steps.getByText("train:small").waitFor();
  await page.getByRole("link", { name: "Timeline" }).click();
  await page.getByRole("table", { name: "Runs of this build" }).getByText("train:large").waitFor();
  await page.getByRole("link", { name: "Tasks" }).click();
  await page.getByRole("link", { name: "score:small" }).click();
  await page.getByText("The report has the details of failed tasks only.").waitFor();
  await page.getByRole("link", { name: "Settings" }).click();
  await page.getByText("models.small.width").waitFor();
  expect(requests.filter((each) => each !== url && !each.startsWith("data:"))).toEqual([]);
  expect(errors).toEqual([]);
});

browserTest("a report has the logs of failed tasks, whatever they printed", async () => {
  const evil = "</script><script>document.title='evil'</script><!-- <img src=x onerror=alert(1)>";
  const project = cliProject({
    "evil.txt": evil,
    "pipeline.yaml": `version: 1
rules:
  bad: { cmd: "cat \${in}; seq 100000 115000; echo at the end; exit 3", in: evil.txt, out: bad.txt }
  worse: { cmd: "cat \${in}; exit 4", in: evil.txt, out: worse.txt }
`,
  });
  expect((await project.lq("build", "-k")).code).toBe(1);
  await project.lq("report", "--html", "report.html");
  const page = await openPage(pathToFileURL(project.path("report.html")).href);
  const failed = page.getByRole("region", { name: /Failed/ });
  await failed.getByText("exit code 4").waitFor();
  await failed.getByRole("link", { name: "worse", exact: true }).click();
  await page.getByRole("region", { name: "Log", exact: true }).getByText(evil).waitFor();
  await page.goBack();
  await failed.getByRole("link", { name: "bad", exact: true }).click();
  const log = page.getByRole("region", { name: "Log", exact: true });
  await log.getByText("at the end").waitFor();
  expect(await page.title()).not.toBe("evil");
  expect(statSync(project.path("report.html")).size).toBeLessThan(300_000);
});

test("reports of unchanged records have the same bytes, and nothing else is written", async () => {
  const project = await built();
  await project.lq("report", "--html", "one.html");
  const before = readdirSync(project.root, { recursive: true }).sort();
  await project.lq("report", "--html", "one.html");
  expect(readdirSync(project.root, { recursive: true }).sort()).toEqual(before);
  const first = project.read("one.html");
  await project.lq("report", "--html", "two.html");
  expect(project.read("two.html")).toBe(first);
});

test("figures, then logs, then traces give way to a limit, each to a sentence", async () => {
  const project = cliProject({
    "pipeline.yaml": `version: 1
rules:
  figure: { cmd: "head -c 300000 /dev/zero > \${out}", out: figure.png }
  bad: { cmd: "seq 100000 115000; exit 3", out: bad.txt }
`,
  });
  await project.lq("build", "-k");
  const data = async (limit: string) => {
    const { code } = await project.lq("report", "--html", "r.html", "--limit", limit);
    expect(code).toBe(0);
    const [, json = ""] = /id="data">(.*?)<\/script>/s.exec(project.read("r.html")) ?? [];
    return JSON.parse(json) as {
      files: { [path: string]: { url?: string; omitted?: string } };
      logs: { bad: { text: string } };
      omittedTraces: string | null;
    };
  };
  const whole = await data("20MiB");
  expect(whole.files["figure.png"]?.url).toMatch(/^data:image\/png;base64,AAAA/);
  expect(whole.logs.bad.text.length).toBeGreaterThan(60_000);
  const smaller = await data("300KiB");
  expect(smaller.files["figure.png"]).toEqual({ omitted: expect.stringContaining("391 KiB") as string });
  expect(smaller.logs).toEqual(whole.logs);
  expect(statSync(project.path("r.html")).size).toBeLessThan(300 * 1024);
  const smallest = await data("1KiB");
  expect(smallest.logs.bad.text).toMatch(/^\[lq: The report would be larger than 1 KiB with this log/);
  expect(smallest.omittedTraces).toContain("traces");
});

test("a file, a folder or a link that lq did not write is never replaced", async () => {
  const project = await built();
  project.write("notes.html", "<!doctype html>\nmine\n");
  project.write("r.html.tmp", "mine\n");
  project.write("folder/a.txt", "mine\n");
  symlinkSync("notes.html", project.path("link.html"));
  for (const file of ["notes.html", "folder", "link.html", "pipeline.yaml"]) {
    const { code, stderr } = await project.lq("report", "--html", file);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`${file} is there, and lq did not write it`)]);
  }
  expect(project.read("notes.html")).toBe("<!doctype html>\nmine\n");
  expect((await project.lq("report", "--html", "r.html")).code).toBe(0);
  expect(project.read("r.html.tmp")).toBe("mine\n");
});

test("a report of a build that is not on record, or into no folder, is refused", async () => {
  const project = await built();
  const unknown = await project.lq("report", "--html", "r.html", "--build", "7");
  expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining("no build 7")]);
  const nowhere = await project.lq("report", "--html", "no/r.html");
  expect([nowhere.code, nowhere.stderr]).toEqual([2, expect.stringContaining("its folder must exist")]);
  const alone = await project.lq("report", "--limit", "1MiB");
  expect([alone.code, alone.stderr]).toEqual([2, expect.stringContaining("--limit goes with --html")]);
  expect(project.has("r.html")).toBe(false);
});
