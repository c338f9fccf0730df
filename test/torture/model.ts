/**
 * A random project. Computes without lq the content of each output, and which runs have the same key. The rules have all
 * shapes: files and directories as inputs and outputs, params, code, axes by keys and from a built file.
 */
import type { seeded } from "../schedule/random.ts";

export type Random = ReturnType<typeof seeded>;

type Shape =
  /** Writes the first three lines, in sorted order, of several files. */
  | { readonly kind: "mix"; readonly inputs: readonly string[]; readonly param: string | null }
  /** Writes a directory of two files. */
  | { readonly kind: "split"; readonly input: string }
  /** Concatenates all files of a directory. */
  | { readonly kind: "gather"; readonly dir: string }
  /** Runs a task module, which imports another module. */
  | { readonly kind: "module"; readonly input: string };

export type RuleModel = Shape & { readonly text: string };

export interface TaskModel {
  readonly id: string;
  /** Equal for two runs that must have the same outputs: lq must not run the second one. */
  readonly key: string;
  readonly outputs: ReadonlyMap<string, string>;
  readonly needs: readonly string[];
}

interface Spec {
  readonly sources: Map<string, string>;
  readonly params: Map<string, string>;
  /** Values of the axis `fan`, each with a param. */
  readonly names: Map<string, string>;
  readonly rules: Map<string, RuleModel>;
  constant: string;
  /** Text of comments in code and pipeline; must not change a key. */
  comment: string;
  /** Whether the rules are in reverse order; must not change a key. */
  reversed: boolean;
}

export class Model {
  /** Plain data, so that a test can keep a `structuredClone` and bring back that state. */
  spec: Spec = {
    sources: new Map(),
    params: new Map(),
    names: new Map(),
    rules: new Map(),
    constant: "c",
    comment: "",
    reversed: false,
  };
  readonly #withModules: boolean;
  #made = 0;

  constructor(random: Random, withModules: boolean) {
    this.#withModules = withModules;
    for (let i = 0; i < 4; i++) this.spec.sources.set(`src/${i}`, text(random));
    this.spec.sources.set("src/items", "i0\ni1\n");
    for (const name of ["a", "b"]) this.spec.sources.set(`scan/${name}.txt`, text(random));
    this.spec.sources.set("tree/a", text(random));
    this.spec.sources.set("tree/sub/b", text(random));
    for (let i = 0; i < 3; i++) this.spec.params.set(`p${i}`, word(random));
    for (let i = 0; i < 2; i++) this.spec.names.set(`n${i}`, word(random));
    for (let i = 0; i < 7; i++) this.#addRule(random);
  }

  /** Changes something, as a user does in an editor. */
  edit(random: Random): void {
    const { spec } = this;
    const name = pick(random, [...spec.rules.keys()]);
    switch (random.below(10)) {
      case 0:
      case 1:
        this.editSource(random);
        break;
      case 2:
        spec.rules.set(name, { ...spec.rules.get(name)!, text: word(random) });
        break;
      case 3:
        this.#rewire(random, name);
        break;
      case 4:
        if (spec.rules.size < 12) this.#addRule(random);
        break;
      case 5:
        this.#removeRule(random, name);
        break;
      case 6:
        spec.params.set(`p${random.below(3)}`, word(random));
        break;
      case 7:
        toggle(spec.names, `n${1 + random.below(4)}`, word(random));
        break;
      case 8: {
        if (random.below(2) === 0) {
          this.#editScan(random);
          break;
        }
        const items = ["i0", "i1", "i2", "i3"].filter((item) => item === "i0" || random.below(2) === 0);
        spec.sources.set("src/items", items.map((item) => `${item}\n`).join(""));
        toggle(spec.sources, pick(random, ["tree/sub/b", "tree/c", "tree/sub/deep/d"]), text(random));
        break;
      }
      default:
        if (random.below(2) === 0) spec.constant = word(random);
        else spec.comment = word(random);
        spec.reversed = random.below(2) === 0;
    }
  }

  /** One file more or less, or, now and then, none at all: a disk that is not mounted. */
  #editScan(random: Random): void {
    const { sources } = this.spec;
    if (random.below(3) > 0) toggle(sources, `scan/${pick(random, ["a", "b", "c"])}.txt`, text(random));
    else for (const path of [...sources.keys()]) if (path.startsWith("scan/")) sources.delete(path);
  }

  editSource(random: Random): void {
    this.spec.sources.set(pick(random, ["src/0", "src/1", "src/2", "src/3", "tree/a"]), text(random));
  }

  #addRule(random: Random): void {
    this.spec.rules.set(`r${this.#made++}`, {
      ...this.#shape(random, [...this.spec.rules.keys()]),
      text: word(random),
    });
  }

  #removeRule(random: Random, gone: string): void {
    if (this.spec.rules.size < 4) return;
    this.spec.rules.delete(gone);
    this.#rewireReaders(random, gone);
  }

  /** Gives new inputs to the rules that read an output of the rule `of`. */
  #rewireReaders(random: Random, of: string): void {
    for (const [name, rule] of this.spec.rules) if (refersTo(rule, of)) this.#rewire(random, name);
  }

  #rewire(random: Random, name: string): void {
    const names = [...this.spec.rules.keys()];
    const before = names.slice(0, names.indexOf(name));
    const rule = this.spec.rules.get(name)!;
    const shape = this.#shape(random, before);
    this.spec.rules.set(name, { ...shape, text: rule.text });
    if ((shape.kind === "split") !== (rule.kind === "split")) this.#rewireReaders(random, name);
  }

  #shape(random: Random, before: readonly string[]): Shape {
    const kinds = (kind: Shape["kind"]) => before.filter((name) => this.spec.rules.get(name)?.kind === kind);
    const files = [
      ...["0", "1", "2", "3"].map((i) => `src/${i}`),
      "tree/a",
      "expanded/i0",
      "fan/n0",
      ...["mix", "gather", "module"]
        .flatMap((kind) => kinds(kind as Shape["kind"]))
        .map((name) => `out/${name}`),
    ];
    switch (random.below(this.#withModules ? 7 : 6)) {
      case 0:
        return { kind: "split", input: pick(random, files) };
      case 1:
        return {
          kind: "gather",
          dir: pick(random, ["tree/", "expanded/", "fan/", ...kinds("split").map((name) => `out/${name}/`)]),
        };
      case 6:
        return { kind: "module", input: pick(random, files) };
      default: {
        const inputs = Array.from({ length: 1 + random.below(3) }, () => pick(random, files));
        const param = random.below(2) === 0 ? null : `p${random.below(3)}`;
        return { kind: "mix", inputs: [...new Set(inputs)], param };
      }
    }
  }

  /** Content by path of every file that no task makes. */
  files(): ReadonlyMap<string, string> {
    const params = [
      ...[...this.spec.params].map(([name, value]) => `${name}: ${value}`),
      "names:",
      ...[...this.spec.names].map(([name, value]) => `  ${name}: ${value}`),
    ];
    const rules = [...this.spec.rules].map(([name, rule]) => `  ${name}: ${ruleText(name, rule)}`);
    const fixed = [
      `  items: { cmd: "{ echo '{ \\"items\\": ['; sed 's/.*/\\"&\\"/' \${in} | paste -sd, -; echo ']}'; } > \${out}", in: src/items, out: out/items.json }`,
      `  grow: { each: { item: { in: out/items.json, at: items } }, cmd: "{ echo \${item}; cat \${in}; } > \${out}", in: src/0, out: "expanded/\${item}" }`,
      `  scan: { each: { name: { glob: "scan/*.txt" } }, cmd: "cat \${in} > \${out}", in: "scan/\${name}.txt", out: "scanned/\${name}" }`,
      `  fan: { each: { name: { keys: names } }, cmd: "echo \${names[name]} > \${out}", out: "fan/\${name}" }`,
    ];
    const all = [...fixed, ...rules];
    if (this.spec.reversed) all.reverse();
    const pipeline = `version: 1\nparams: params.yaml\nrules:\n${all.join("\n")}\n# ${this.spec.comment}\n`;
    return new Map([
      ...this.spec.sources,
      ["params.yaml", `${params.join("\n")}\n`],
      ["pipeline.yaml", pipeline],
      ["lib.ts", `/* ${this.spec.comment} */ export const constant: string = "${this.spec.constant}";\n`],
      ["module.ts", MODULE],
    ]);
  }

  /** All tasks, each after the tasks that it needs. */
  tasks(): readonly TaskModel[] {
    const contents = new Map(this.spec.sources);
    const maker = new Map<string, string>();
    const tasks: TaskModel[] = [];
    const add = (
      id: string,
      what: unknown,
      outputs: readonly (readonly [string, string])[],
      reads: readonly string[],
    ): void => {
      const needs = reads.flatMap((path) => maker.get(path) ?? []);
      const seen = reads.map((path) => [path, contents.get(path)]);
      const key = JSON.stringify([what, seen, outputs.map(([path]) => path)]);
      tasks.push({ id, key, outputs: new Map(outputs), needs });
      for (const [path, content] of outputs) {
        contents.set(path, content);
        maker.set(path, id);
      }
    };
    const get = (path: string): string => contents.get(path) ?? "";
    const items = get("src/items").split("\n").slice(0, -1);
    const list = `{ "items": [\n${items.map((item) => `"${item}"`).join(",")}\n]}\n`;
    add("items", "items", [["out/items.json", list]], ["src/items"]);
    for (const item of items)
      add(`grow:${item}`, item, [[`expanded/${item}`, `${item}\n${get("src/0")}`]], ["src/0"]);
    for (const path of [...this.spec.sources.keys()].filter((each) => each.startsWith("scan/"))) {
      const name = path.slice("scan/".length, -".txt".length);
      add(`scan:${name}`, name, [[`scanned/${name}`, get(path)]], [path]);
    }
    for (const [name, value] of this.spec.names)
      add(`fan:${name}`, value, [[`fan/${name}`, `${value}\n`]], []);
    for (const [name, rule] of this.spec.rules) {
      const out = `out/${name}`;
      if (rule.kind === "mix") {
        const label = [rule.text, ...(rule.param === null ? [] : [this.spec.params.get(rule.param)])].join(
          " ",
        );
        const lines = rule.inputs.flatMap((path) => get(path).split("\n").slice(0, -1));
        const least = [...new Set(lines)].sort().slice(0, 3);
        add(name, ["mix", label], [[out, [label, ...least, ""].join("\n")]], rule.inputs);
      } else if (rule.kind === "split") {
        const parts = [
          [`${out}/head`, `${rule.text}\n`],
          [`${out}/sub/body`, get(rule.input)],
        ] as const;
        add(name, ["split", rule.text], parts, [rule.input]);
      } else if (rule.kind === "gather") {
        const members = [...contents.keys()].filter((path) => path.startsWith(rule.dir)).sort();
        add(name, ["gather", rule.text], [[out, [`${rule.text}\n`, ...members.map(get)].join("")]], members);
      } else {
        const made = `${rule.text} ${this.spec.constant}\n${get(rule.input)}`;
        add(name, null, [[out, made]], [rule.input]);
        // The paths of a module's inputs and outputs are not in its key.
        tasks.push({ ...tasks.pop()!, key: made });
      }
    }
    return tasks;
  }
}

const MODULE = `import { readFileSync, writeFileSync } from "node:fs";
import { task } from "lq";
import { constant } from "./lib.ts";
export default task({
  params: { "~standard": { version: 1, vendor: "test", validate: (value) => ({ value }) } },
  run({ input, output, params: { text } }) {
    writeFileSync(output(), text + " " + constant + "\\n" + readFileSync(input(), "utf8"));
  },
});
`;

function ruleText(name: string, rule: RuleModel): string {
  // fail/NAME is not declared as an input, so that an injected failure changes no key.
  const trap = `test ! -e fail/${name} || exit 3`;
  const out = `out/${name}`;
  if (rule.kind === "mix") {
    const param = rule.param === null ? "" : ` \${${rule.param}}`;
    return `{ cmd: "${trap}; { echo ${rule.text}${param}; cat \${in} | LC_ALL=C sort -u | head -n 3; } > \${out}", in: [${rule.inputs.join(", ")}], out: ${out} }`;
  }
  if (rule.kind === "split")
    return `{ cmd: "${trap}; echo ${rule.text} > \${out}head; mkdir \${out}sub; cat \${in} > \${out}sub/body", in: ${rule.input}, out: ${out}/ }`;
  if (rule.kind === "gather")
    return `{ cmd: "${trap}; { echo ${rule.text}; cd \${in}; find . -type f | LC_ALL=C sort | xargs cat; } > \${out}", in: ${rule.dir}, out: ${out} }`;
  return `{ run: module.ts, in: ${rule.input}, with: { text: ${rule.text} }, out: ${out} }`;
}

function refersTo(rule: RuleModel, name: string): boolean {
  const paths = rule.kind === "mix" ? rule.inputs : rule.kind === "gather" ? [rule.dir] : [rule.input];
  return paths.some((path) => path === `out/${name}` || path.startsWith(`out/${name}/`));
}

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random.below(list.length)] as T;
}

export function word(random: Random): string {
  return `w${random.below(6)}`;
}

/** One to three lines. */
function text(random: Random): string {
  return Array.from({ length: 1 + random.below(3) }, () => `${word(random)}\n`).join("");
}

function toggle(map: Map<string, string>, key: string, value: string): void {
  if (!map.delete(key)) map.set(key, value);
}
