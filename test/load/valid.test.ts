import { readFileSync } from "node:fs";
import { Ajv } from "ajv";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { AXIS_KEYS } from "../../src/load/axes.ts";
import { CACHE_KEYS } from "../../src/load/cache.ts";
import { ENVIRONMENT_KEYS, SETUP_KEYS } from "../../src/load/environment.ts";
import { TOP_KEYS } from "../../src/load/load.ts";
import { INPUT_KEYS, RULE_KEYS } from "../../src/load/rules.ts";
import { SHOW_KEYS } from "../../src/load/show.ts";
import { JOB_KEYS, QUEUE_KEYS } from "../../src/load/slurm.ts";
import { GPU_KEYS } from "../../src/load/slots.ts";
import { testFolder } from "../helpers/folder.ts";
import { load } from "../helpers/load.ts";
import { VALID } from "./valid.ts";

const text = readFileSync(new URL("../../schema/pipeline.schema.json", import.meta.url), "utf8");
interface Keys {
  readonly properties?: { readonly [key: string]: Keys };
  readonly oneOf?: readonly Keys[];
}
const schema = JSON.parse(text) as Keys & { readonly definitions: { readonly [name: string]: Keys } };
const validate = new Ajv({ strict: false }).compile(schema);

describe.each(Object.entries(VALID))("pipeline %s", (_, files) => {
  test("loads", () => expect(load(testFolder(files)).rules.size).toBeGreaterThan(1));
  test("satisfies the schema", () => {
    validate(parse(files["pipeline.yaml"] ?? ""));
    expect(validate.errors).toBeNull();
  });
});

test("the schema refuses what the loader refuses", () => {
  expect(validate({ version: 1, rules: { a: { cmd: "x" } } })).toBe(false);
  expect(validate({ version: 1, rules: { a: { cmd: "x", run: "y", out: "z" } } })).toBe(false);
  expect(validate({ version: 2, rules: { a: { cmd: "x", out: "z" } } })).toBe(false);
  expect(validate({ version: 1, rules: { a: { cmd: "x", out: "z", ins: "q" } } })).toBe(false);
  expect(validate({ version: 1, rules: { a: { cmd: "x", out: "z", slots: { memory: 4 } } } })).toBe(false);
});

test("schema and loader know the same keys", () => {
  const keys = (...names: string[]) =>
    names.flatMap((name) => Object.keys(schema.definitions[name]?.properties ?? {}));
  expect(Object.keys(schema.properties ?? {}).sort()).toEqual([...TOP_KEYS].sort());
  expect(keys("rule").sort()).toEqual([...RULE_KEYS].sort());
  expect(Object.keys(schema.definitions["input"]?.oneOf?.[1]?.properties ?? {})).toEqual([...INPUT_KEYS]);
  expect(keys("keysAxis", "itemsAxis", "globAxis", "fileAxis").sort()).toEqual([...AXIS_KEYS].sort());
  expect(keys("environment").sort()).toEqual([...ENVIRONMENT_KEYS].sort());
  const inside = (part: Keys | undefined) => Object.keys(part?.properties ?? {}).sort();
  expect(inside(schema.properties?.["cache"])).toEqual([...CACHE_KEYS].sort());
  expect(inside(schema.properties?.["show"])).toEqual([...SHOW_KEYS].sort());
  expect(inside(schema.properties?.["slurm"])).toEqual([...JOB_KEYS, ...QUEUE_KEYS].sort());
  expect(inside(schema.definitions["rule"]?.properties?.["slurm"]?.oneOf?.[1])).toEqual([...JOB_KEYS].sort());
  const setup = schema.definitions["environment"]?.properties?.["setup"]?.oneOf?.[1];
  expect(inside(setup)).toEqual([...SETUP_KEYS].sort());
  const { slots } = schema.definitions as unknown as {
    slots: { properties: { gpu: { oneOf: { properties?: object }[] } } };
  };
  const gpu = slots.properties.gpu.oneOf.find(({ properties }) => properties)?.properties ?? {};
  expect(Object.keys(gpu).sort()).toEqual([...GPU_KEYS].sort());
});

describe("what is loaded", () => {
  const files = VALID["everything"] ?? {};
  const pipeline = load(testFolder(files));
  const one = pipeline.rules.get("one");
  const two = pipeline.rules.get("two");

  test("slots, sizes and durations", () => {
    expect(one?.slots).toEqual({
      cpu: 2,
      memory: 1.5 * 2 ** 30,
      gpu: { count: 2, memory: 10 * 2 ** 30, type: "h100", optional: true, whole: false },
      pools: new Map([["licence", 1]]),
    });
    expect(two?.slots).toEqual({ cpu: 1, memory: 0, gpu: null, pools: new Map() });
    expect([one?.timeout, two?.timeout, one?.retries, one?.resume]).toEqual([7200, 90, 2, true]);
  });

  test("roles", () => {
    expect(one?.inputs.map(({ role, list }) => [role, list])).toEqual([
      ["a", false],
      ["b", true],
      ["c", false],
    ]);
    expect(one?.inputs.map(({ names }) => names)).toEqual([undefined, undefined, true]);
    expect(two?.outputs.map(({ role, list }) => [role, list])).toEqual([["out", true]]);
  });

  test("$${ is a literal ${, and spans point at the expression", () => {
    const action = one?.action;
    if (action?.kind !== "cmd" || !("parts" in action.command)) throw new Error("not a command");
    const [first, second] = action.command.parts;
    expect(first).toEqual({ kind: "text", text: 'echo "${HOME}" $(basename ' });
    if (second?.kind !== "in") throw new Error("not an input");
    expect((files["pipeline.yaml"] ?? "").slice(second.span.start, second.span.end)).toBe("${in.a}");
  });

  test("<< merges maps under what is written beside it", () => {
    const dir = testFolder({
      "pipeline.yaml": "version: 1\nparams: params.yaml\nrules: { a: { cmd: x, out: y } }",
      "params.yaml": "a: &a { x: 1, y: 2 }\nb: &b { y: 3, z: 4 }\nc: { y: 5, <<: *a }\nd: { <<: [*a, *b] }",
    });
    expect(load(dir).params).toMatchObject({ c: { x: 1, y: 5 }, d: { x: 1, y: 2, z: 4 } });
  });

  test("params, profiles and --set", () => {
    const dir = testFolder({
      "pipeline.yaml":
        'version: 1\nparams: params.yaml\nrules: { a: { cmd: x, out: y, with: { a: "${a}", g: "${g.h}" } } }',
      "params.yaml": "a: { b: 1, c: [1, 2], d: { e: x } }\nf: 1\ng: { h: 2 }",
      "profiles/big.yaml": "a: { b: 2, c: [3] }",
      "profiles/new.yaml": "g: { h: 1 }\na: { b: 9 }",
    });
    const { params, files } = load(dir, ["a.d.e={ z: [1] }", "a.k2=true", "a.c.0=7"], ["big", "new"]);
    expect(params).toEqual({ a: { b: 9, c: [7], d: { e: { z: [1] } }, k2: true }, f: 1, g: { h: 1 } });
    expect(files).toEqual(["pipeline.yaml", "params.yaml", "profiles/big.yaml", "profiles/new.yaml"]);
  });
});
