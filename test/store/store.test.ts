import {
  appendFileSync,
  chmodSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { sha256 } from "../../src/system/digest.ts";
import { keyOf, type Recipe } from "../../src/fingerprint/recipe.ts";
import { treeDigest } from "../../src/fingerprint/tree.ts";
import { decodeAction, encodeAction, isSafeName, type Action } from "../../src/store/action.ts";
import { Store } from "../../src/store/store.ts";
import { testFolder, writeFile } from "../helpers/folder.ts";

const recipe: Recipe = {
  format: 1,
  action: { kind: "cmd", argv: ["make", "é"] },
  inputs: [
    { role: "in", path: "a", digest: sha256("a") },
    { role: "dir", path: "d/", digest: sha256("d"), entries: [{ name: "x", digest: sha256("x") }] },
  ],
  outputs: [
    { role: "out", path: "out.sh" },
    { role: "tree", path: "tree/" },
  ],
  params: {
    "2": { value: 1, origin: "p.q" },
    "10": { value: { z: null, a: [true] }, origin: null },
    b: { value: "", origin: null },
  },
  env: { A: null, B: "b" },
  tools: { "x --version": "1" },
};
const entries = [
  { name: "deep/large.bin", digest: sha256(large()), executable: false },
  { name: "run", digest: sha256("run"), executable: true },
];
const action: Action = {
  key: keyOf(recipe),
  recipe,
  outputs: [
    { kind: "file", digest: sha256("#!"), executable: true },
    { kind: "directory", digest: treeDigest(entries), entries },
  ],
  seconds: 1.5,
  finished: 1e12,
};

function large(): Buffer {
  return Buffer.alloc((1 << 20) + 5, "large");
}

/** A store that holds the action and its objects, and the notices it gave. */
async function filled(): Promise<{ root: string; store: Store; notices: string[] }> {
  const root = testFolder({ "staged/out.sh": "#!", "staged/run": "run" });
  writeFileSync(join(root, "staged/large.bin"), large());
  const notices: string[] = [];
  const store = new Store(join(root, "cache"), { notice: (text) => notices.push(text) });
  for (const name of ["out.sh", "run", "large.bin"]) {
    const file = join(root, "staged", name);
    await store.putFile(file, sha256(readFileSync(file)), false);
  }
  await store.putAction(action);
  return { root, store, notices };
}

function objectFile(root: string, digest: string): string {
  return join(root, "cache/objects", digest.slice(0, 2), digest.slice(2));
}

function actionFile(root: string): string {
  return join(root, "cache/actions", action.key.slice(0, 2), `${action.key.slice(2)}.json`);
}

describe("Store", () => {
  it("gives back the action and its outputs, with their permissions", async () => {
    const { root, store, notices } = await filled();
    expect(store.run(action.key)).toBeDefined();
    expect(store.action(action.key)).toEqual(action);
    expect(await store.restore(action, [join(root, "back/out.sh"), join(root, "back/tree/")])).toBe(true);
    expect(readFileSync(join(root, "back/out.sh"), "utf8")).toBe("#!");
    expect(readFileSync(join(root, "back/tree/run"), "utf8")).toBe("run");
    expect(readFileSync(join(root, "back/tree/deep/large.bin")).equals(large())).toBe(true);
    expect(statSync(join(root, "back/tree/run")).mode & 0o777).toBe(0o755);
    expect(statSync(join(root, "back/tree/deep/large.bin")).mode & 0o200).toBe(0o200);
    expect(notices).toEqual([]);
  });

  it("stores an object once, read-only, and leaves no temporary files", async () => {
    const { root, store } = await filled();
    const file = objectFile(root, sha256("#!"));
    const { ino, mode } = statSync(file);
    expect(mode & 0o222).toBe(0);
    await store.putFile(join(root, "staged/out.sh"), sha256("#!"), false);
    expect(statSync(file).ino).toBe(ino);
    const all = readdirSync(join(root, "cache"), { recursive: true, withFileTypes: true });
    expect(all.filter((each) => each.isFile())).toHaveLength(4);
  });

  it("restores only the outputs asked for", async () => {
    const { root, store } = await filled();
    expect(await store.restore(action, [null, join(root, "back/tree/")])).toBe(true);
    expect(readdirSync(join(root, "back"))).toEqual(["tree"]);
  });

  it("finds nothing for an unknown key or for an action whose object is gone", async () => {
    const { root, store } = await filled();
    expect(store.action(sha256("unknown"))).toBeUndefined();
    rmSync(objectFile(root, sha256("run")));
    expect(store.run(action.key)).toBeUndefined();
    expect(await store.restore(action, [join(root, "x"), join(root, "y/")])).toBe(false);
  });

  it.each(["#!", "run", "large"])(
    "treats a damaged object (%s) as absent, says so, and stores it again",
    async (which) => {
      const { root, store, notices } = await filled();
      const content = which === "large" ? large() : Buffer.from(which);
      const file = objectFile(root, sha256(content));
      chmodSync(file, 0o644);
      const damaged = Buffer.from(content);
      damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
      writeFileSync(file, damaged);
      expect(await store.restore(action, [join(root, "a"), join(root, "b/")])).toBe(false);
      expect(notices).toEqual([expect.stringContaining("is damaged; it was removed")]);
      expect(store.run(action.key)).toBeUndefined();
      writeFile(root, "again", "");
      writeFileSync(join(root, "again"), content);
      await store.putFile(join(root, "again"), sha256(content), false);
      expect(await store.restore(action, [join(root, "a"), join(root, "b/")])).toBe(true);
    },
  );

  it("replaces an object that was cut short", async () => {
    const { root, store } = await filled();
    const file = objectFile(root, sha256("run"));
    chmodSync(file, 0o644);
    writeFileSync(file, "r");
    await store.putFile(join(root, "staged/run"), sha256("run"), false);
    expect(readFileSync(file, "utf8")).toBe("run");
  });

  it("treats a damaged action as absent, and says so", async () => {
    const { root, store, notices } = await filled();
    appendFileSync(actionFile(root), " ");
    expect(store.action(action.key)).toBeUndefined();
    expect(notices).toEqual([expect.stringContaining("is damaged; it was removed")]);
    expect(statSync(actionFile(root), { throwIfNoEntry: false })).toBeUndefined();
  });
});

describe("an action's text", () => {
  it("is valid JSON", () => {
    expect(JSON.parse(encodeAction(action))).toMatchObject({ version: 1, key: action.key });
  });

  it("is refused when cut at any byte or with any byte flipped", () => {
    const text = Buffer.from(encodeAction(action));
    for (let at = 0; at < text.length; at++) {
      expect(decodeAction(text.toString("utf8", 0, at), action.key)).toBeNull();
      const flipped = Buffer.from(text);
      flipped[at] = (flipped[at] ?? 0) ^ 1;
      expect(decodeAction(flipped.toString("utf8"), action.key)).toBeNull();
    }
  });

  it("is refused when it belongs to another action or names impossible outputs", () => {
    expect(decodeAction(encodeAction(action), sha256("other"))).toBeNull();
    expect(decodeAction(encodeAction({ ...action, recipe: { ...recipe, env: {} } }), action.key)).toBeNull();
    expect(decodeAction(encodeAction({ ...action, outputs: [] }), action.key)).toBeNull();
    const [file, tree] = action.outputs;
    for (const name of ["../evil", "a/../../evil", "/etc/passwd", "", "a//b", "a/./b", "a\0b"]) {
      const evil = {
        ...tree!,
        entries: [{ name, digest: sha256("x"), executable: true }],
      } as Action["outputs"][number];
      expect(decodeAction(encodeAction({ ...action, outputs: [file!, evil] }), action.key)).toBeNull();
    }
    expect(["a", "a/b", ".a", "..a", "a..", " "].every(isSafeName)).toBe(true);
  });
});
