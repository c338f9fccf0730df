import { spawn, type ChildProcess } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { acquireFreeLock, acquireLock, clearTickets } from "../../src/state/lock.ts";
import { testFolder } from "../helpers/folder.ts";

const LOCK = "cache/lock";

interface Contents {
  id: string;
  pid: number;
  started: string | null;
  place: string;
}

/**
 * Path of a script that takes the lock of the project it is given, prints "held", and releases the lock when its
 * standard input ends. It fails if another process holds the lock at the same time.
 */
let script = "";

beforeAll(async () => {
  const lock = fileURLToPath(new URL("../../src/state/lock.ts", import.meta.url));
  const { outputFiles } = await build({
    stdin: {
      contents: `
        import { rmSync, writeFileSync } from "node:fs";
        import { acquireLock } from ${JSON.stringify(lock)};
        const lock = await acquireLock(process.argv[2], () => {});
        const inside = process.argv[2] + "/inside";
        writeFileSync(inside, "", { flag: "wx" });
        process.stdout.write("held");
        process.stdin.on("end", () => { rmSync(inside); lock.release(); process.exit(); }).resume();`,
      resolveDir: fileURLToPath(new URL(".", import.meta.url)),
    },
    bundle: true,
    write: false,
    format: "esm",
    platform: "node",
  });
  script = join(testFolder({ "hold.mjs": outputFiles[0]?.text ?? "" }), "hold.mjs");
});

function start(root: string): ChildProcess {
  const child = spawn(process.execPath, [script, root], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child;
}

/** Starts a process and waits until it holds the lock. */
async function holder(root: string): Promise<ChildProcess> {
  const child = start(root);
  await once(child.stdout!, "data");
  return child;
}

function contents(root: string): Contents {
  return JSON.parse(readFileSync(join(root, LOCK), "utf8")) as Contents;
}

/** For a lock that must be free. */
const never = () => expect.fail("waited for the lock");

describe("the build lock", () => {
  it("is taken, names its holder, and leaves no file when it is released", async () => {
    const root = testFolder();
    const lock = await acquireLock(root, never);
    expect(contents(root).pid).toBe(process.pid);
    lock.release();
    expect(readdirSync(join(root, "cache"))).toEqual([]);
    (await acquireLock(root, never)).release();
  });

  it("makes the next build wait, names the process it waits for, and passes on when released", async () => {
    const root = testFolder();
    const child = await holder(root);
    const waited: string[] = [];
    const lock = acquireLock(root, (holder) => {
      waited.push(holder);
      child.stdin?.end();
    });
    (await lock).release();
    expect(waited).toEqual([`process ${child.pid}`]);
  });

  it("stays with its holder when the one who waits gives up", async () => {
    const root = testFolder();
    const child = await holder(root);
    const stop = new AbortController();
    const waiting = acquireLock(root, () => stop.abort(), stop.signal);
    await expect(waiting).rejects.toThrow("aborted");
    expect(contents(root).pid).toBe(child.pid);
    expect(readdirSync(join(root, "cache"))).toEqual(["lock"]);
  });

  it("drops the tickets of processes that were killed while they waited, and keeps those that still wait", async () => {
    const root = testFolder();
    const lock = await acquireLock(root, never);
    const waiters = [start(root), start(root)];
    const inCache = (name: string): string => join(root, "cache", name);
    const tickets = () =>
      readdirSync(inCache("")).filter((name) => name.startsWith("lock.") && statSync(inCache(name)).size > 0);
    await expect.poll(() => tickets().length).toBe(2);
    waiters[0]?.kill("SIGKILL");
    await once(waiters[0]!, "exit");
    clearTickets(root);
    expect(tickets()).toHaveLength(1);
    lock.release();
    await once(waiters[1]!.stdout!, "data");
    expect(tickets()).toEqual([]);
  });

  // As on a file server, where a listing may be outdated for a while.
  it("makes a build wait while it can be neither taken nor read", async () => {
    const root = testFolder({ "cache/none": "" });
    symlinkSync("gone", join(root, LOCK));
    expect(acquireFreeLock(root)).toBe(null);
    const lock = acquireLock(root, never);
    rmSync(join(root, LOCK));
    (await lock).release();
  });

  it("passes on at once when its holder is killed", async () => {
    const root = testFolder();
    const child = await holder(root);
    child.kill("SIGKILL");
    await once(child, "exit");
    (await acquireLock(root, never)).release();
    expect(readdirSync(join(root, "cache"))).toEqual([]);
  });

  it("passes on when the holder's process id belongs to another process now", async ({ skip }) => {
    const root = testFolder();
    const lock = await acquireLock(root, never);
    const mine = contents(root);
    skip(mine.started === null, "this system does not say when a process began");
    writeFileSync(join(root, LOCK), JSON.stringify({ ...mine, id: randomUUID(), started: "1" }));
    (await acquireLock(root, never)).release();
    lock.release();
  });

  it("stays with a holder on another machine, whatever runs here under the same process id", async () => {
    const root = testFolder();
    await acquireLock(root, never);
    writeFileSync(
      join(root, LOCK),
      JSON.stringify({ ...contents(root), pid: 4_000_000, place: "elsewhere" }),
    );
    const stop = new AbortController();
    const waited: string[] = [];
    const waiting = acquireLock(
      root,
      (holder) => {
        waited.push(holder);
        stop.abort();
      },
      stop.signal,
    );
    await expect(waiting).rejects.toThrow("aborted");
    expect(waited).toEqual([
      expect.stringMatching(/^process 4000000 on another machine .* remove cache\/lock$/),
    ]);
  });

  it("refuses a file that is not a lock of lq", async () => {
    const root = testFolder({ [LOCK]: "hello" });
    await expect(acquireLock(root, never)).rejects.toThrow("cache/lock is not a lock of lq");
  });

  it("skips successors that died while they took over", async () => {
    const root = testFolder();
    await acquireLock(root, never);
    const dead = (): Contents => ({ ...contents(root), id: randomUUID(), started: "1" });
    const [first, second] = [dead(), dead()];
    writeFileSync(join(root, LOCK), JSON.stringify(first));
    writeFileSync(join(root, `${LOCK}.after-${first.id}`), JSON.stringify(second));
    const lock = await acquireLock(root, never);
    expect(readdirSync(join(root, "cache"))).toEqual(["lock"]);
    lock.release();
    expect(existsSync(join(root, LOCK))).toBe(false);
  });

  it("has one holder at a time when many processes want the lock of a dead one", async () => {
    const root = testFolder();
    const first = await holder(root);
    const others = Array.from({ length: 6 }, () => start(root));
    const ends = others.map(async (child, i) => {
      const exit = once(child, "exit");
      await once(child.stdout!, "data");
      // Half of them release the lock, half die while they hold it.
      if (i % 2 === 0) child.stdin?.end();
      else {
        rmSync(join(root, "inside"));
        child.kill("SIGKILL");
      }
      return exit;
    });
    rmSync(join(root, "inside"));
    first.kill("SIGKILL");
    const codes = (await Promise.all(ends)).map(([code]) => code as number | null);
    expect(codes).toEqual([0, null, 0, null, 0, null]);
    (await acquireLock(root, never)).release();
  });
});
