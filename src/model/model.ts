/**
 * The types that the stages of the engine share: what `load` gives to `expand`, and `expand` to the stages after it.
 *
 * Paths are POSIX and relative to the project root; an input outside the project is absolute.
 * A directory ends in "/". Digests are lower-case hex sha256.
 */
import type { Span } from "./errors.ts";

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

// ---- pipeline (after load) -------------------------------------------------------------------------------

export interface Pipeline {
  /** Absolute path of the folder that holds pipeline.yaml. */
  readonly root: string;
  /** params.yaml + profiles + --set, merged. */
  readonly params: Json;
  readonly axes: ReadonlyMap<string, AxisSpec>;
  /** The rules in the order of the file. The order has no meaning. */
  readonly rules: ReadonlyMap<string, Rule>;
  readonly default: readonly Target[];
  readonly cache: CacheSettings;
  /** Patterns as in .gitignore: such files never count in folders. */
  readonly ignore: readonly string[];
  readonly show: ShowSettings;
  /** What the file and the machine say about Slurm. Values name params only. */
  readonly slurm: SlurmSettings;
  /** Every file the pipeline was read from (pipeline.yaml, params, profiles), relative to root. */
  readonly files: readonly string[];
}

/** A target of a build, as the user typed it. A target of `default` has a place in pipeline.yaml. */
export interface Target {
  readonly text: string;
  readonly span?: Span;
}

/** What the page shows as results. */
export interface ShowSettings {
  /** Rules that the overview shows together, in this order. */
  readonly groups: readonly { readonly name: string; readonly rules: readonly string[] }[];
  /** Targets as typed; null: the tables and figures among the outputs of `default`. */
  readonly tables: readonly string[] | null;
  readonly figures: readonly string[] | null;
}

export interface CacheSettings {
  /** Absolute path of the folder of objects and actions; null: the project's own. */
  readonly folder: string | null;
  /** How outputs are linked to the cache. lq tries them in this order, and copies when none works. */
  readonly links: readonly LinkKind[];
  /** URL of the remote cache, checked; null: none. */
  readonly remote: string | null;
  /** Whether builds send what they made to the remote cache. */
  readonly push: boolean;
}

/** Texts by key (src/load/slurm.ts has the keys); one text, or several for a list. */
export type SlurmSettings = ReadonlyMap<string, readonly Template[]>;

/** See src/store/links.ts. */
export type LinkKind = "reflink" | "hardlink" | "symlink" | "copy";

export type AxisSpec =
  | { readonly kind: "list"; readonly values: readonly AxisValue[]; readonly span: Span }
  | { readonly kind: "keys"; readonly path: Template; readonly span: Span }
  | { readonly kind: "glob"; readonly pattern: Template; readonly span: Span }
  /** The items of a param that is a list. */
  | { readonly kind: "items"; readonly path: Template; readonly span: Span }
  /** Values from a JSON or YAML file, which a task may make. Elements are strings or maps with an `id`. */
  | { readonly kind: "in"; readonly file: Template; readonly at: Template; readonly span: Span }
  /** A list with axes among its items: the values of all items, in order. */
  | { readonly kind: "join"; readonly axes: readonly AxisSpec[]; readonly span: Span };

export interface Rule {
  readonly name: string;
  readonly span: Span;
  readonly each: readonly { readonly name: string; readonly axis: AxisSpec }[];
  readonly action:
    | { readonly kind: "run"; readonly module: string; readonly span: Span }
    /** A string command runs under `bash -euo pipefail -c`; a list is run directly. */
    | { readonly kind: "cmd"; readonly command: Template | readonly Template[]; readonly span: Span }
    /** A program of another language, run by its interpreter in the project's folder. */
    | { readonly kind: "script"; readonly path: string; readonly span: Span };
  /** Code of the project that a script or a command runs; folders end in "/". The script itself is the first. */
  readonly code: readonly { readonly path: string; readonly span: Span }[];
  /** Whether versions of the packages that the code imports count. */
  readonly packages: boolean;
  readonly environment: Environment;
  readonly inputs: readonly Declaration[];
  readonly outputs: readonly Declaration[];
  readonly with: ReadonlyMap<string, { readonly value: TemplateValue; readonly span: Span }>;
  /** Names of environment variables whose values are part of the key, or fixed values to set. */
  readonly env: ReadonlyMap<string, Template | null>;
  /** Commands whose output is part of the key (`nvidia-smi --version`). Each runs once in a build. */
  readonly tools: readonly string[];
  readonly slots: SlotRequest;
  /** How Slurm runs its tasks; null: they always run where lq runs. */
  readonly slurm: SlurmSettings | null;
  readonly when: Template | null;
  /** Keep a scratch folder for the key between attempts. */
  readonly resume: boolean;
  /** Its tasks are cheap and decide which tasks there are, so `status` and dry runs may run them on trial. */
  readonly shape: boolean;
  /** Seconds that a resumable task has to save its state when a batch system is about to take the machine. */
  readonly grace: number;
  /** Keep a line for each task in lq.lock. */
  readonly lock: boolean;
  readonly retries: number;
  /** Matches what a failed attempt prints when it ran out of device memory. Null: lq cannot know. */
  readonly oom: RegExp | null;
  /** Seconds; null is no limit. */
  readonly timeout: number | null;
}

/** Where scripts and commands run. Null means that the key is not set. */
export interface Environment {
  /** A path, from the project's folder, or the name of a program. */
  readonly python: Setting | null;
  /** The folder of a virtual environment. */
  readonly venv: Setting | null;
  /** Name or folder of a conda environment. */
  readonly conda: Setting | null;
  /** The arguments of `module load`. */
  readonly modules: readonly Setting[];
  /** A file of an image, or `docker://NAME@sha256:…`. */
  readonly container: Setting | null;
  /** Shell text before each command, and whether it counts for the key. */
  readonly setup: { readonly text: string; readonly counts: boolean } | null;
}

export interface Setting {
  readonly value: string;
  readonly span: Span;
}

/** A named input or output. Its role is "in" for `in: x`, "out" for `out: x`, and the key in a map. */
export interface Declaration {
  readonly role: string;
  /** Whether pipeline.yaml has a list here. A module reads a list with `inputs()`. */
  readonly list: boolean;
  readonly paths: readonly Template[];
  /** For an input `{ names: … }`: only the names of the files in the folder count, not their contents. */
  readonly names?: true;
  /** For an input that is a folder: patterns as in a .gitignore there, for files that do not count. */
  readonly ignore?: readonly string[];
  /** What to tell a user if the input is not there. */
  readonly hint?: Template;
}

/** Parsed text with `${…}` in it. */
export interface Template {
  readonly parts: readonly TemplatePart[];
  readonly span: Span;
}

export type TemplatePart =
  /** @property param where the text of a bound command comes from a param, a value of `with:` or a field: its path */
  | { readonly kind: "text"; readonly text: string; readonly param?: CommandParam }
  /** `${case}` or, for an axis whose elements are maps, `${case.image}`. */
  | { readonly kind: "axis"; readonly name: string; readonly field: readonly string[]; readonly span: Span }
  /** `${generators[generator].window}`: a step is a key, or the value of an axis. */
  | {
      readonly kind: "param";
      readonly path: readonly (string | { readonly axis: string })[];
      readonly span: Span;
    }
  /** `${threshold}` in a `cmd`, where `threshold` is a name under the rule's `with:`. */
  | {
      readonly kind: "with";
      readonly name: string;
      readonly path: readonly (string | { readonly axis: string })[];
      readonly span: Span;
    }
  /** `${in}`, `${in.image}`, `${out}`, `${out.model}`: in `cmd` only, shell-quoted. */
  | { readonly kind: "in" | "out"; readonly role: string | null; readonly span: Span }
  | { readonly kind: "scratch"; readonly span: Span };

export interface CommandParam {
  /** As in reasons: "segment.threshold". */
  readonly path: string;
  readonly value: Json;
}

/** A value under `with:`. A string that is exactly one `${…}` keeps the type of the value that it names. */
export type TemplateValue =
  | { readonly kind: "template"; readonly template: Template }
  | { readonly kind: "literal"; readonly value: Json }
  | { readonly kind: "list"; readonly items: readonly TemplateValue[] }
  | { readonly kind: "map"; readonly entries: ReadonlyMap<string, TemplateValue> };

export interface SlotRequest {
  /** Cores; default 1. */
  readonly cpu: number;
  /** Bytes; 0: lq does not count the task's memory. */
  readonly memory: number;
  readonly gpu: GpuRequest | null;
  /** Places in named pools. */
  readonly pools: ReadonlyMap<string, number>;
}

export interface GpuRequest {
  readonly count: number;
  /** Use devices if there are any; otherwise run without. */
  readonly optional: boolean;
  /** Bytes of each device that the task uses; null: all of them. */
  readonly memory: number | null;
  /** No other task may use the device, however much memory is left. */
  readonly whole: boolean;
  readonly type: string | null;
}

// ---- graph (after expand) --------------------------------------------------------------------------------

export interface Task {
  /** See task-id.ts. */
  readonly id: string;
  readonly rule: Rule;
  /** Position in `Graph.tasks`. */
  readonly index: number;
  /** Axis values in the order of `each`. */
  readonly bindings: readonly AxisValue[];
  readonly inputs: readonly TaskPath[];
  readonly outputs: readonly TaskPath[];
  readonly params: { readonly [name: string]: TaskParam };
  /** Values of `rule.env` after interpolation; null: taken from lq's own environment. */
  readonly env: { readonly [name: string]: string | null };
  readonly action: TaskAction;
}

export type TaskAction =
  | { readonly kind: "run"; readonly module: string }
  | { readonly kind: "script"; readonly path: string }
  /** The command with its axes and params filled in. `in`, `out` and `scratch` are filled in when it runs. */
  | { readonly kind: "cmd"; readonly command: Template | readonly Template[] };

export interface TaskPath {
  readonly role: string;
  readonly list: boolean;
  /** Relative to root (or absolute, for an input outside it); ends in "/" for a directory. */
  readonly path: string;
  /** For an input that is a directory: only the names of the files in it count. */
  readonly names?: true;
  /** See `Declaration.ignore`. */
  readonly ignore?: readonly string[];
}

export interface TaskParam {
  readonly value: Json;
  /** The path in the params that gives the value ("generators.stu-s.window"); null for a literal or mixed value. */
  readonly origin: string | null;
}

/** A rule whose remaining axis values are in a file that is not known yet. */
export interface PendingExpansion {
  /** Like a task's id, with "*" for the axes that are not bound. */
  readonly id: string;
  readonly rule: Rule;
  /** The axis values that are known so far. */
  readonly bound: readonly { readonly name: string; readonly value: AxisValue }[];
  /** The file that has the values of the next axis, and the place in the file. */
  readonly file: string;
  readonly at: string;
}

/** An axis value: its text (used in ids and paths) and, for an element that is a map, its fields. */
export interface AxisValue {
  readonly text: string;
  /** What `${axis}` alone in `with:` gives, where a list or a file has a number or a boolean. */
  readonly typed?: number | boolean;
  readonly fields: { readonly [name: string]: Json } | null;
}
