/**
 * Derives the tasks that a change affects from the meaning of the study's steps: which step reads what, and whether its
 * output changes. It knows nothing of the engine.
 *
 * It assumes that a network trained on other data predicts other labels, and so does a network with another image.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";

export interface Study {
  readonly datasets: readonly string[];
  readonly targets: readonly string[];
  /** Name → kind. */
  readonly generators: Readonly<Record<string, string>>;
  /** The dataset of Figure 1. */
  readonly shown: string;
  readonly cases: Readonly<Record<string, readonly string[]>>;
  readonly splits: Readonly<Record<string, Split>>;
  readonly folds: Readonly<Record<string, readonly Fold[]>>;
}

interface Split {
  readonly train: readonly string[];
  readonly test: readonly string[];
}

interface Fold {
  readonly id: string;
  readonly train: readonly string[];
  readonly val: readonly string[];
}

/** Reads cases, splits and folds from the disk. */
export function readStudy(root: string, study: Omit<Study, "cases" | "splits" | "folds">): Study {
  const named = <T>(names: readonly string[], get: (name: string) => T): { [name: string]: T } =>
    Object.fromEntries(names.map((name) => [name, get(name)]));
  const read = (path: string): unknown => JSON.parse(readFileSync(join(root, path), "utf8"));
  const all = [...study.datasets, ...study.targets];
  return {
    ...study,
    cases: named(all, (name) =>
      (read(`cases/${name}.json`) as { cases: { id: string }[] }).cases.map(({ id }) => id),
    ),
    splits: named(all, (name) => (read(`splits/${name}.json`) as { splits: [Split] }).splits[0]),
    folds: named(study.datasets, (name) => (read(`folds/${name}.json`) as { folds: Fold[] }).folds),
  };
}

/** Collects the ids of the tasks that must run. Each method is a change; it adds all tasks that the change affects. */
export class Ripple {
  readonly #study: Study;
  readonly #ids = new Set<string>();

  constructor(study: Study) {
    this.#study = study;
  }

  get ids(): string[] {
    return [...this.#ids].sort();
  }

  add(...ids: readonly string[]): this {
    for (const id of ids) this.#ids.add(id);
    return this;
  }

  /** A case's image. */
  image(dataset: string, id: string): this {
    this.check(dataset, id).preparedImage(dataset, id);
    return this.#each(this.#generators, (generator) => this.relabel(dataset, generator, id));
  }

  /** A case's own labels. */
  label(dataset: string, id: string): this {
    this.check(dataset, id).add(`original:${dataset}/${id}`, `prepare-labels:${dataset}/base/${id}`);
    this.trainingLabels(dataset, "base", id);
    this.#each(this.#generators, (generator) => {
      if (this.#study.generators[generator] === "prompted") this.relabel(dataset, generator, id);
      this.score(dataset, generator, id);
    });
    if (!this.#study.splits[dataset]?.test.includes(id)) return this;
    return this.#each(this.#versions, (version) => this.segment(dataset, version));
  }

  check(source: string, id: string): this {
    return this.add(`check-case:${source}/${id}`, `dataset:${source}`, "table-datasets");
  }

  preparedImage(dataset: string, id: string): this {
    this.add(`prepare:${dataset}/${id}`);
    if (dataset === this.#study.shown) this.add("figure-qualitative");
    this.#foldsWith(dataset, id);
    const { train, test } = this.#study.splits[dataset]!;
    if (train.includes(id)) this.#each(this.#versions, (version) => this.pretrain(dataset, version));
    if (test.includes(id)) this.#each(this.#versions, (version) => this.segment(dataset, version));
    return this;
  }

  trainingLabels(dataset: string, version: string, id: string): this {
    if (dataset === this.#study.shown) this.add("figure-qualitative");
    if (version === "base") this.#foldsWith(dataset, id);
    if (this.#study.splits[dataset]?.train.includes(id)) this.pretrain(dataset, version);
    return this;
  }

  fold(dataset: string, { id, val }: Fold): this {
    if (this.#ids.has(`train-nnunet:${dataset}/${id}`)) return this;
    this.add(`train-nnunet:${dataset}/${id}`);
    return this.#each(val, (held) => this.relabel(dataset, "nnunet", held));
  }

  foundation(generator: string): this {
    this.add(`train-foundation:${generator}`);
    return this.#each(this.#study.datasets, (dataset) =>
      this.#each(this.#study.cases[dataset]!, (id) => this.relabel(dataset, generator, id)),
    );
  }

  /** A generator's labels of a case change. */
  relabel(dataset: string, generator: string, id: string): this {
    const rule = { "in-domain": "nnunet", foundation: "foundation", prompted: "prompted" }[
      this.#study.generators[generator]!
    ];
    this.add(`predict-${rule}:${dataset}/${generator}/${id}`);
    // Labels are prepared only for trainings and for the figure.
    if (dataset === this.#study.shown || this.#study.splits[dataset]!.train.includes(id))
      this.add(`prepare-labels:${dataset}/${generator}/${id}`);
    return this.score(dataset, generator, id).trainingLabels(dataset, generator, id);
  }

  score(dataset: string, generator: string, id: string): this {
    this.add(`score:${dataset}/${generator}/${id}`, "table-quality");
    return this.add("table-in-domain", "table-correlation", "figure-in-domain");
  }

  pretrain(dataset: string, version: string): this {
    if (this.#ids.has(`pretrain:${dataset}/${version}/split`)) return this;
    this.add(`pretrain:${dataset}/${version}/split`).segment(dataset, version);
    return this.#each(this.#study.targets, (target) => this.finetune(target, dataset, version));
  }

  segment(dataset: string, version: string): this {
    return this.add(`segment:${dataset}/${version}/split`).evaluate(dataset, version);
  }

  evaluate(dataset: string, version: string): this {
    this.add(`evaluate:${dataset}/${version}/split`);
    return this.add("table-in-domain", "table-correlation", "figure-in-domain");
  }

  finetuneAll(target: string, dataset: string): this {
    this.add(`scratch:${target}/${dataset}/split`).segmentTarget(target, dataset, "none");
    return this.#each(this.#versions, (version) => this.finetune(target, dataset, version));
  }

  finetune(target: string, dataset: string, version: string): this {
    this.add(`finetune:${target}/${dataset}/${version}/split`);
    return this.segmentTarget(target, dataset, version);
  }

  segmentTarget(target: string, dataset: string, start: string): this {
    this.add(`segment-target:${target}/${dataset}/${start}/split`);
    return this.evaluateTarget(target, dataset, start);
  }

  evaluateTarget(target: string, dataset: string, start: string): this {
    this.add(`evaluate-target:${target}/${dataset}/${start}/split`);
    return this.add(`table-target:${target}`, "table-correlation");
  }

  /**
   * A dataset's list of cases changes, and with it its median spacing, split and folds. The spacing changes too little
   * to change a number of voxels: volumes are prepared again with equal results. A fold with the same training cases
   * as an earlier fold predicts the same labels.
   */
  caseList(dataset: string, before: Study): this {
    this.add(`list-cases:${dataset}`, `dataset:${dataset}`, `split:${dataset}`, `folds:${dataset}`);
    this.add("table-datasets", "table-quality", `plan-network:${dataset}`);
    const known = new Set(before.folds[dataset]!.map(({ train }) => train.join()));
    this.#each(this.#study.folds[dataset]!, (fold) => {
      if (!known.has(fold.train.join())) return this.fold(dataset, fold);
      this.add(`train-nnunet:${dataset}/${fold.id}`);
      return this.#each(fold.val, (id) => this.add(`predict-nnunet:${dataset}/nnunet/${id}`));
    });
    this.#each(this.#study.cases[dataset]!, (id) => {
      this.preparedImage(dataset, id);
      this.#each(this.#versions, (version) => this.add(`prepare-labels:${dataset}/${version}/${id}`));
    });
    return this.#each(this.#study.targets, (target) =>
      this.#each(this.#study.cases[target]!, (id) => this.add(`prepare-target:${dataset}/${target}/${id}`)),
    );
  }

  /** The code that scores and evaluates. */
  metric(): this {
    const { datasets, targets, cases } = this.#study;
    return this.#each(datasets, (dataset) => {
      this.#each(this.#generators, (generator) =>
        this.#each(cases[dataset]!, (id) => this.score(dataset, generator, id)),
      );
      this.#each(this.#versions, (version) => this.evaluate(dataset, version));
      this.#each(targets, (target) =>
        this.#each(["none", ...this.#versions], (start) => this.evaluateTarget(target, dataset, start)),
      );
    });
  }

  get #generators(): readonly string[] {
    return Object.keys(this.#study.generators);
  }

  get #versions(): readonly string[] {
    return ["base", ...this.#generators];
  }

  #foldsWith(dataset: string, id: string): void {
    for (const fold of this.#study.folds[dataset]!) if (fold.train.includes(id)) this.fold(dataset, fold);
  }

  #each<T>(items: readonly T[], follow: (item: T) => unknown): this {
    for (const item of items) follow(item);
    return this;
  }
}
