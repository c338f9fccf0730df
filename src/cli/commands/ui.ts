/** `lq ui`: serves the project's page until Ctrl-C. */
import { spawn } from "node:child_process";
import { chmodSync, rmSync, statSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { hostname, userInfo } from "node:os";
import { resolve } from "node:path";
import { errorCode, UserError } from "../../model/errors.ts";
import { PIPELINE_FILE } from "../../load/files.ts";
import { UiServer } from "../../ui/server.ts";
import { nearestProject, startFolder, type CommonFlags } from "../flags.ts";
import { print } from "../print.ts";

export interface UiFlags extends CommonFlags {
  readonly port?: number;
  readonly socket?: string;
  readonly open?: boolean;
}

const DEFAULT_PORT = 8474;
/** How many ports above the default to try. */
const MOST_PORTS = 100;
const LOOPBACK = "127.0.0.1";

export async function runUi(_: readonly string[], flags: UiFlags): Promise<number> {
  const root = projectRoot(flags);
  const ended = new Promise<number>((end) => {
    process.once("SIGINT", () => end(130));
    process.once("SIGTERM", () => end(143));
    process.once("SIGHUP", () => end(129));
    // Another command started this one and has ended.
    process.once("disconnect", () => end(0));
  });
  const ui = new UiServer(root, flags);
  try {
    if (flags.socket === undefined) await serveOnPort(ui, flags);
    else await serveOnSocket(ui, resolve(startFolder(flags), flags.socket), flags);
    process.send?.("ready");
    return await ended;
  } finally {
    ui.close();
  }
}

function projectRoot(flags: CommonFlags): string {
  const from = startFolder(flags);
  const root = nearestProject(from);
  if (root !== undefined) return root;
  throw new UserError({
    message: `there is no ${PIPELINE_FILE} in ${from} or in any folder above it`,
    hint: "go to the project's folder, or name it with -C DIR",
  });
}

async function serveOnPort(ui: UiServer, flags: UiFlags): Promise<void> {
  const wanted = flags.port ?? DEFAULT_PORT;
  const port = await listenOn(ui, wanted, flags.port === undefined ? MOST_PORTS : 0);
  const url = `http://${LOOPBACK}:${port}/${ui.token}/`;
  if (flags.json === true) console.log(JSON.stringify({ type: "ui", url }));
  else {
    if (flags.port === undefined && port !== wanted) print(`port ${wanted} is taken; this is ${port}`);
    print(url);
  }
  const isRemote = (process.env.SSH_CONNECTION ?? "") !== "";
  if (isRemote && flags.json !== true)
    print(`at home, type: ssh -N -L ${port}:${LOOPBACK}:${port} ${userInfo().username}@${hostname()}`);
  if (flags.open === true && !isRemote) openBrowser(url);
}

/** @param more how many ports above it to try instead */
async function listenOn(ui: UiServer, port: number, more: number): Promise<number> {
  for (let at = port; ; at++) {
    try {
      await listen(ui, { port: at, host: LOOPBACK });
      return (ui.http.address() as AddressInfo).port;
    } catch (error) {
      if (errorCode(error) !== "EADDRINUSE" && errorCode(error) !== "EACCES") throw error;
      if (at - port < more) continue;
      throw new UserError({
        message: `port ${port} is ${errorCode(error) === "EACCES" ? "not allowed" : "taken"}`,
        hint: "choose another with --port N, or leave --port out for the next free one",
      });
    }
  }
}

async function serveOnSocket(ui: UiServer, path: string, { json }: UiFlags): Promise<void> {
  const mask = process.umask(0o177);
  try {
    await listen(ui, { path });
  } catch (error) {
    if (errorCode(error) !== "EADDRINUSE") throw unusable(path, error);
    await removeDeadSocket(path);
    await listen(ui, { path });
  } finally {
    process.umask(mask);
  }
  chmodSync(path, 0o600);
  const url = `http://${LOOPBACK}:${DEFAULT_PORT}/${ui.token}/`;
  if (json === true) console.log(JSON.stringify({ type: "ui", url, socket: path }));
  else {
    print(url);
    print(`at home, type: ssh -N -L ${DEFAULT_PORT}:${path} ${userInfo().username}@${hostname()}`);
  }
}

/** Removes a socket that nobody listens on: a killed server left it. */
async function removeDeadSocket(path: string): Promise<void> {
  const { connect } = await import("node:net");
  const isAlive = await new Promise<boolean>((answer) => {
    const socket = connect(path, () => answer(true));
    socket.on("error", () => answer(false));
    socket.unref();
  });
  if (isAlive || !statSync(path).isSocket())
    throw new UserError({ message: `${path} is taken`, hint: "choose another path with --socket" });
  rmSync(path);
}

function unusable(path: string, error: unknown): UserError {
  return new UserError({
    message: `no socket can be made at ${path}: ${(error as Error).message}`,
    hint: "its folder must exist, and the whole path may have about 100 characters",
  });
}

function listen(ui: UiServer, where: { port: number; host: string } | { path: string }): Promise<void> {
  return new Promise((done, fail) => {
    ui.http.once("error", fail);
    ui.http.listen(where, () => {
      ui.http.off("error", fail);
      done();
    });
  });
}

/** Starts a browser. lq cannot know whether it appears, so it prints the address anyway. */
function openBrowser(url: string): void {
  const [command, ...words] = process.platform === "darwin" ? ["open"] : ["xdg-open"];
  const child = spawn(command ?? "", [...words, url], { stdio: "ignore", detached: true });
  child.on("error", () => process.stderr.write("no browser could be started; open the address above\n"));
  child.unref();
}
