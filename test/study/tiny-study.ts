/**
 * The study at the smallest scale that has every kind of task: its own pipeline.yaml, tasks and params, two datasets,
 * one target, three generators, and networks of a few channels with little training. The volumes of its datasets and
 * its target are plain files, which a test changes as a user changes real CT.
 */
import { copyFileSync, cpSync, readFileSync, rmSync } from "node:fs";
import { isMap, parseDocument, type Document } from "yaml";
import { writePhantomDataset } from "../../tasks/study/phantom/write.ts";
import { HOME } from "../helpers/bundle.ts";
import { cliProject, type CliProject } from "../helpers/cli.ts";

export interface Names {
  readonly datasets: readonly string[];
  readonly targets: readonly string[];
  readonly generators: readonly string[];
}

export const DATASETS = ["btcv", "ct1k"];
export const TARGETS = ["segthor"];
/** Name → kind. */
export const GENERATORS = { nnunet: "in-domain", medsam: "prompted", totalseg: "foundation" };

/** Cases of each dataset at the beginning. */
const CASES = 3;
/** A coarse scan. */
const SCAN = { size: [14, 10, 8], spacing: [2.6, 2.6, 4] } as const;
/** As large as a volume, so that any change in a volume changes a training. */
const PATCH = [8, 12, 16];

export async function tinyStudy(
  names: Names = { datasets: DATASETS, targets: TARGETS, generators: Object.keys(GENERATORS) },
): Promise<CliProject> {
  const params = tinyParams(names);
  const project = cliProject({
    "pipeline.yaml": readFileSync(`${HOME}pipeline.yaml`, "utf8"),
    "params.yaml": String(params),
  });
  cpSync(`${HOME}tasks`, project.path("tasks"), { recursive: true });
  project.withPackages();
  for (const name of [...names.datasets, ...names.targets]) {
    const layout = String(params.getIn(["sources", name, "layout"]));
    await writePhantomDataset(layout, { cases: CASES, ...SCAN }, project.path(`ct/${name}`));
  }
  // BTCV's patients with another scanner and annotator, and one more patient.
  const other = { cases: CASES + 1, ...SCAN, noise: 60, grow: 15 };
  await writePhantomDataset("btcv", other, project.path("other"));
  return project;
}

function tinyParams({ datasets, targets, generators }: Names): Document {
  const params = parseDocument(readFileSync(`${HOME}params.yaml`, "utf8"), { merge: true });
  keep(params, "sources", [...datasets, ...targets, "corpus"]);
  keep(params, "datasets", datasets);
  keep(params, "targets", targets);
  keep(params, "generators", generators);
  for (const name of [...datasets, ...targets]) {
    params.setIn(["sources", name, "root"], `ct/${name}`);
    params.setIn(["sources", name, "phantom"], null);
  }
  params.setIn(["sources", "corpus", "phantom"], { cases: 2, seed: 8, ...SCAN });
  for (const name of datasets) params.setIn(["datasets", name, "patch"], PATCH);
  params.set("corpus", { patch: PATCH, slice: [1, 12, 16] });
  params.setIn(["folds", "count"], 2);
  if (generators.includes("totalseg")) params.setIn(["generators", "totalseg", "channels"], [4, 4, 4]);
  // In params.yaml the other networks are aliases of these two.
  for (const name of ["btcv", "prompted"]) params.setIn(["networks", name, "filters"], [4, 4, 4]);
  for (const name of keys(params, "training")) {
    params.setIn(["training", name, "epochs"], 1);
    params.setIn(["training", name, "batches"], 4);
    // Nearly untrained networks predict a little of every label, so that any change of their training shows.
    params.setIn(["training", name, "learning_rate"], 0.003);
  }
  // With an equal seed two rules would do the same training on the same cases, and lq would restore one of them.
  params.setIn(["training", "nnunet", "seed"], 2);
  return params;
}

function keep(params: Document, section: string, names: readonly string[]): void {
  for (const name of keys(params, section)) if (!names.includes(name)) params.deleteIn([section, name]);
}

function keys(params: Document, section: string): string[] {
  const map = params.get(section);
  return isMap(map) ? map.items.map(({ key }) => String(key)) : [];
}

/** Sets one param, given its path. */
export function setParam(project: CliProject, path: string, value: unknown): void {
  const params = parseDocument(project.read("params.yaml"), { merge: true });
  params.setIn(path.split("."), value);
  project.write("params.yaml", String(params));
}

/** Replaces a file of a BTCV case by that of the other scan. */
export function takeOther(project: CliProject, what: "image" | "label", id: string): void {
  const file = caseFile(what, id);
  copyFileSync(project.path(`other/${file}`), project.path(`ct/btcv/${file}`));
}

export function removeCase(project: CliProject, id: string): void {
  for (const what of ["image", "label"] as const) rmSync(project.path(`ct/btcv/${caseFile(what, id)}`));
}

/** The file's path in BTCV's layout. */
function caseFile(what: "image" | "label", id: string): string {
  return `RawData/Training/${what === "image" ? "img/img" : "label/label"}${id}.nii.gz`;
}
