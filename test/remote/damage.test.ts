/** What a remote cache gives is checked: what is not right counts as absent, and is put right where builds push. */
import { readdirSync } from "node:fs";
import { beforeAll, expect, test } from "vitest";
import { sha256 } from "../../src/system/digest.ts";
import { decodeActionResult } from "../../src/remote/action-result.ts";
import { listOf } from "../../src/remote/find-run.ts";
import { decodeAction, encodeAction, partsOf, type Action } from "../../src/store/action.ts";
import { verifyStore } from "../../src/store/verify.ts";
import { CacheServer } from "../helpers/cache-server.ts";
import type { CliProject } from "../helpers/cli.ts";
import { clone, TASKS } from "./remote-project.ts";

/** The results of one task on a server, for tests to damage. */
class Victim {
  readonly key: string;
  readonly action: Action;
  /** Path of its ActionResult, of the action's JSON, and of an object that is this task's alone. */
  readonly list: string;
  readonly json: string;
  readonly object: string;
  readonly #server: CacheServer;

  constructor(server: CacheServer, project: CliProject, task: string) {
    const [name = ""] = readdirSync(project.path("cache/history"));
    const lines = project.read(`cache/history/${name}`).trim().split("\n");
    const line = lines.map((each) => JSON.parse(each) as { task?: string; key?: string });
    this.#server = server;
    this.key = line.find((each) => each.task === task)?.key ?? "";
    this.list = `lq/ac/${this.key}`;
    const files = decodeActionResult(this.content(this.list)) ?? [];
    this.json = `lq/cas/${files.find(({ path }) => path === "action.json")?.digest}`;
    const action = decodeAction(this.content(this.json).toString(), this.key);
    if (action === null) throw new Error("no such action");
    this.action = action;
    const own = action.outputs.flatMap(partsOf).find(({ name }) => name === "run");
    this.object = `lq/cas/${own?.digest}`;
  }

  content(path: string): Buffer {
    return this.#server.files.get(path) ?? Buffer.alloc(0);
  }

  set(path: string, content: Buffer | null): void {
    if (content === null) this.#server.files.delete(path);
    else this.#server.files.set(path, content);
  }

  /** Puts an action in the place of the right one, with digests that are right. */
  lie(action: Partial<Action>, size = (right: number) => right): void {
    const text = encodeAction({ ...this.action, ...action });
    const parts = (action.outputs ?? this.action.outputs).flatMap(partsOf);
    const objects = parts.map(({ digest, executable }) => {
      return { digest, executable, size: size(this.content(`lq/cas/${digest}`).length) };
    });
    this.set(`lq/cas/${sha256(text)}`, Buffer.from(text));
    this.set(this.list, listOf({ digest: sha256(text), size: Buffer.byteLength(text) }, objects));
  }

  /** The folder that the task makes, with other names in it. */
  withNames(...names: readonly string[]): Partial<Action> {
    const [output] = this.action.outputs;
    if (output?.kind !== "directory") throw new Error("not a folder");
    const [entry] = output.entries;
    if (entry === undefined) throw new Error("an empty folder");
    const entries = names.map((name) => ({ ...entry, name }));
    const digest = sha256(entries.map((each) => `${each.name}\0${each.digest}\n`).join(""));
    return { outputs: [{ kind: "directory", digest, entries }] };
  }
}

function flipped(content: Buffer): Buffer {
  const copy = Buffer.from(content);
  copy[copy.length >> 1] = (copy[copy.length >> 1] ?? 0) ^ 1;
  return copy;
}

type Damage = (victim: Victim, other: Victim) => void;

const DAMAGES: readonly (readonly [string, Damage])[] = [
  ["a list that is none", (victim) => victim.set(victim.list, Buffer.from("nonsense"))],
  ["an empty list", (victim) => victim.set(victim.list, Buffer.alloc(0))],
  ["the list of another task", (victim, other) => victim.set(victim.list, victim.content(other.list))],
  ["an action that is not there", (victim) => victim.set(victim.json, null)],
  ["an action with a flipped bit", (victim) => victim.set(victim.json, flipped(victim.content(victim.json)))],
  ["an object that is not there", (victim) => victim.set(victim.object, null)],
  [
    "an object with a flipped bit",
    (victim) => victim.set(victim.object, flipped(victim.content(victim.object))),
  ],
  [
    "an object cut short",
    (victim) => victim.set(victim.object, victim.content(victim.object).subarray(0, 3)),
  ],
  [
    "an object that goes on and on",
    (victim) =>
      victim.set(victim.object, Buffer.concat([victim.content(victim.object), Buffer.alloc(1 << 20)])),
  ],
  ["an object that is said to be huge", (victim) => victim.lie({}, () => 2 ** 52)],
  ["an action for another recipe", (victim, other) => victim.lie({ recipe: other.action.recipe })],
  ["an accepted action", (victim) => victim.lie({ accepted: { at: 1, key: victim.key } })],
  ["impossible times", (victim) => victim.lie({ finished: 1e300 })],
  ["a file for a folder", (victim, other) => victim.lie({ outputs: other.action.outputs })],
  ["a name that leads out", (victim) => victim.lie(victim.withNames("../../escaped"))],
  ["an absolute name", (victim) => victim.lie(victim.withNames("/tmp/escaped"))],
  ["a file as the folder of another", (victim) => victim.lie(victim.withNames("a", "a/b"))],
  ["a name twice", (victim) => victim.lie(victim.withNames("a", "a"))],
  ["a name too long for a file system", (victim) => victim.lie(victim.withNames("a".repeat(300)))],
];

let first: CliProject;
let whole: ReadonlyMap<string, Buffer>;

beforeAll(async () => {
  const server = await CacheServer.open();
  first = clone(`{ remote: "${server.url}", push: true }`);
  await first.built();
  whole = server.files;
  await server.stop();
});

test.each(DAMAGES)("%s: exactly this task runs, and the next clone gets it", async (_, damage) => {
  const server = await CacheServer.start();
  const cache = `{ remote: "${server.url}", push: true }`;
  for (const [path, content] of whole) server.files.set(path, content);
  damage(new Victim(server, first, "tree:b"), new Victim(server, first, "copy:c"));

  const second = clone(cache);
  const found = await second.built();
  expect([found.ran, found.restored]).toEqual([["tree:b"], TASKS.filter((task) => task !== "tree:b")]);
  const complaint = `what the remote cache ${server.url} has is not all right`;
  expect(found.notices).toEqual([expect.stringContaining(complaint)]);
  expect(second.read("trees/b/run")).toBe("echo b\n");
  const verified = await verifyStore(second.path("cache"), () => undefined);
  expect(verified).toMatchObject({ actions: 13, damaged: [], unreadable: [], incomplete: [] });

  const third = await clone(cache).built();
  expect([third.ran, third.restored, third.notices]).toEqual([[], TASKS, []]);
});
