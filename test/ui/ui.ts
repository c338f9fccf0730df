/** `lq ui` as a process on a project, and a real browser to look at its page. */
import { existsSync } from "node:fs";
import { request, type IncomingHttpHeaders } from "node:http";
import { chromium, type Browser, type Page } from "playwright-core";
import { afterAll, afterEach } from "vitest";
import type { CliProject, Lq } from "../helpers/cli.ts";

const CHROMIUM = "/usr/bin/chromium";
export const hasChromium = existsSync(CHROMIUM);

/** The tests need no WebGL and no network; the browser must not send requests of its own. */
const FLAGS = ["no-sandbox", "disable-gpu", "disable-quic", "no-first-run", "disable-background-networking"];
const MORE = ["disable-component-update", "disable-sync"];

export interface Ui {
  readonly url: string;
  readonly port: number;
  readonly token: string;
  readonly process: Lq;
}

export async function startUi(project: CliProject, ...words: string[]): Promise<Ui> {
  const process = project.start("ui", "--json", ...(words.length > 0 ? words : ["--port", "0"]));
  const [line = ""] = await process.line('"type":"ui"');
  const { url } = JSON.parse(line) as { url: string };
  const [, port = "", token = ""] = /:(\d+)\/([^/]+)\/$/.exec(url) ?? [];
  return { url, port: Number(port), token, process };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

/** Sends a request with exactly this path; `fetch` would normalise it. */
export function get(
  where: { readonly port: number } | { readonly socketPath: string },
  path: string,
  {
    method = "GET",
    headers = {},
  }: { readonly method?: string; readonly headers?: Record<string, string> } = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: "127.0.0.1", ...where, path, method, headers, agent: false },
      (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: response.headers,
            text: Buffer.concat(parts).toString(),
          }),
        );
      },
    );
    asked.on("error", reject);
    asked.end();
  });
}

let browser: Promise<Browser> | undefined;
const pages: Page[] = [];

afterEach(async () => {
  for (const page of pages.splice(0)) await page.context().close();
});
afterAll(async () => {
  await (await browser)?.close();
});

export async function openPage(url: string, theme: "light" | "dark" = "light"): Promise<Page> {
  const args = [...FLAGS, ...MORE].map((flag) => `--${flag}`);
  browser ??= chromium.launch({ executablePath: CHROMIUM, args });
  const context = await (await browser).newContext({ colorScheme: theme });
  const page = await context.newPage();
  page.setDefaultTimeout(8_000);
  pages.push(page);
  await page.goto(url);
  return page;
}
