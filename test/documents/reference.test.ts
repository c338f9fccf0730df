/** The examples of the reference: each is built as it stands there, and each key of pipeline.yaml has one. */
import { chmodSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { Ajv } from "ajv";
import { afterEach, expect, test, vi } from "vitest";
import { parse } from "yaml";
import { loadConfig } from "../../src/load/config.ts";
import { loadPipeline } from "../../src/load/load.ts";
import { build } from "../../src/run/build.ts";
import type { Event } from "../../src/report/events.ts";
import { HOME } from "../helpers/bundle.ts";
import { testFolder } from "../helpers/folder.ts";
import { PYTHON } from "../helpers/python.ts";
import { blocksOf, filesIn, pipelineFrom, pipelinesIn } from "./blocks.ts";

const PAGES = ["pipeline", "tasks", "running"].map((name) => `docs/reference/${name}.md`);
const all = PAGES.flatMap(blocksOf);
const examples = pipelinesIn(all);

/** What the examples name and the pages do not show. */
const FIXTURES = {
  "images/a.nii.gz": "a\n",
  "images/b.nii.gz": "b\n",
  "train.py": "from configs import small\nprint(small.CHANNELS)\n",
  "configs/small.py": "CHANNELS = 8\n",
  "ct.sif": "image",
  "bin/apptainer": '#!/bin/bash\nwhile [ "$1" != ct.sif ]; do shift; done; shift; exec "$@"\n',
  "envs/ct/conda-meta/python-3.11-h0.json": "{}",
};

/** @returns the folder of a project in a folder of its own: an example has its cache beside the project */
function projectOf(pipeline: string): string {
  const files = { ...FIXTURES, ...filesIn(all), "pipeline.yaml": pipeline };
  const outer = testFolder(
    Object.fromEntries(Object.entries(files).map(([path, text]) => [`project/${path}`, text])),
  );
  const folder = join(outer, "project");
  chmodSync(join(folder, "bin/apptainer"), 0o755);
  symlinkSync(`${HOME}node_modules`, join(folder, "node_modules"));
  mkdirSync(join(folder, ".venv/bin"), { recursive: true });
  symlinkSync(PYTHON ?? "", join(folder, ".venv/bin/python"));
  return folder;
}

/** Stands in for conda, modules, containers and servers, which this machine may lack. */
function equip(folder: string): void {
  vi.stubEnv("PATH", `${join(folder, "bin")}:${process.env["PATH"]}`);
  vi.stubEnv("CONDA_ENVS_PATH", join(folder, "envs"));
  vi.stubEnv("BASH_FUNC_module%%", "() { :; }");
  // The server that an example names is not there.
  vi.stubEnv("LQ_REMOTE", "");
}

afterEach(() => vi.unstubAllEnvs());

test.skipIf(PYTHON === null).each(examples)("$page:$line is built", async (example) => {
  const folder = projectOf(pipelineFrom(example));
  equip(folder);
  const events: Event[] = [];
  const pipeline = loadPipeline({ dir: folder, profiles: [], set: [] });
  const summary = await build({
    pipeline,
    targets: [],
    cwd: folder,
    slots: "gpu=1:h100:80GiB,licence=1",
    listener: (event) => events.push(event),
  });
  const notices = events.flatMap((event) => (event.type === "notice" ? [event.text] : []));
  const failed = events.flatMap((event) => (event.type === "task" ? (event.error ?? []) : []));
  expect([notices, failed]).toEqual([[], []]);
  expect(summary.ran).toBeGreaterThan(0);
});

test("the settings of a machine are read", () => {
  const settings = filesIn(all)["~/.config/lq/config.yaml"] ?? "";
  const folder = testFolder({ "lq/config.yaml": settings });
  expect(loadConfig({ XDG_CONFIG_HOME: folder })).toMatchObject({
    busy: 2 * 2 ** 30,
    groups: [
      ["0", "1"],
      ["2", "3"],
    ],
    environment: { modules: [{ value: "cuda/12.4" }] },
  });
});

interface Schema {
  readonly $ref?: string;
  readonly properties?: { readonly [name: string]: Schema };
  readonly additionalProperties?: Schema | boolean;
  readonly items?: Schema;
  readonly oneOf?: readonly Schema[];
}

test("each key that the schema knows is in an example of the page of pipeline.yaml", () => {
  const schema = JSON.parse(readFileSync(`${HOME}schema/pipeline.schema.json`, "utf8")) as Schema;
  const ajv = new Ajv({ strict: false, schemas: [schema] });
  const shown = new Set<string>();

  /** Notes the places in the schema of all keys in a value. */
  function visit(at: string, value: unknown): void {
    const part = partOf(schema, at);
    if (part.$ref !== undefined) return visit(part.$ref.slice(1), value);
    part.oneOf?.forEach((_, nth) => {
      const place = `${at}/oneOf/${nth}`;
      if (ajv.getSchema(`pipeline.schema.json#${place}`)?.(value) === true) visit(place, value);
    });
    if (Array.isArray(value) && part.items) value.forEach((item) => visit(`${at}/items`, item));
    if (typeof value !== "object" || value === null || Array.isArray(value)) return;
    for (const [key, inside] of Object.entries(value)) {
      const known = part.properties !== undefined && key in part.properties;
      const place = known ? `${at}/properties/${key}` : `${at}/additionalProperties`;
      if (known) shown.add(place);
      if (known || typeof part.additionalProperties === "object") visit(place, inside);
    }
  }

  for (const example of pipelinesIn(blocksOf("docs/reference/pipeline.md")))
    visit("", parse(pipelineFrom(example)));
  expect(keysOf(schema, "").filter((key) => !shown.has(key))).toEqual([]);
});

function partOf(schema: Schema, at: string): Schema {
  return at
    .split("/")
    .slice(1)
    .reduce((inside, step) => (inside as { readonly [step: string]: Schema })[step] ?? {}, schema);
}

/** The places of all keys in a schema, as in `/definitions/rule/properties/each`. */
function keysOf(part: unknown, at: string): readonly string[] {
  if (typeof part !== "object" || part === null) return [];
  return Object.entries(part).flatMap(([step, inside]) => [
    ...(at.endsWith("/properties") ? [`${at}/${step}`] : []),
    ...keysOf(inside, `${at}/${step}`),
  ]);
}
