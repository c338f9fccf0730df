/** Opens a session, the data of one run of a command: the graph, the records, and the present state of the files. */
import { relative } from "node:path";
import { setFlagsFromString } from "node:v8";
import { Disk } from "../files/disk.ts";
import { Environments } from "../environment/environments.ts";
import { expand } from "../expand/expand.ts";
import type { Graph } from "../expand/graph.ts";
import { CodeClosures } from "../fingerprint/code.ts";
import { FollowedCode } from "../followed/follow.ts";
import { RuleCode } from "../followed/rule-code.ts";
import { FileDigests } from "../files/files.ts";
import type { HashOptions } from "../files/hash-many.ts";
import { Fingerprinter } from "../fingerprint/fingerprint.ts";
import { ToolVersions } from "../fingerprint/tools.ts";
import type { Producers } from "../fingerprint/tree.ts";
import { inheritedEnvironment } from "../system/inherited-environment.ts";
import { Ignore } from "../files/ignore.ts";
import type { Pipeline, Task } from "../model/model.ts";
import { isUntouched } from "../record/outputs.ts";
import { State } from "../state/state.ts";
import { configFile } from "../load/config.ts";
import { makeStore } from "../store/store-folder.ts";
import type { Remote } from "../remote/remote.ts";
import type { Store } from "../store/store.ts";
import { select, type Selected } from "../select/select.ts";
import { unmatchedError } from "../select/unmatched.ts";
import { openStore, storeFolder } from "./open-store.ts";
import type { Request } from "./request.ts";

const MANY_TASKS = 20_000;

export interface Session {
  readonly root: string;
  /** True for commands that must not change anything. */
  readonly readonly: boolean;
  /** True if tasks may lack an input: nothing runs, or the others run. Otherwise this is an error. */
  readonly mayLackInputs: boolean;
  readonly graph: Graph;
  readonly state: State;
  readonly store: Store;
  /** Null: there is none, or this command does not ask it. */
  readonly remote: Remote | null;
  readonly disk: Disk;
  readonly files: FileDigests;
  /** The files that have changed since the snapshot that this session starts from; null: it starts from none. */
  readonly changed: readonly string[] | null;
  readonly code: CodeClosures;
  readonly ruleCode: RuleCode;
  readonly environments: Environments;
  readonly fingerprinter: Fingerprinter;
  /** How to report the progress of long hashing, and how to cancel it. */
  readonly hashing: HashOptions;
  /**
   * Finds what the request covers in the graph as it has expanded so far, and prepares the fingerprinter for it.
   * @param check false: leave the check of the whole graph to a later call
   * @throws UserError
   */
  select(check?: boolean): Promise<Selected>;
}

export interface SessionOptions {
  /** True: leave damaged files of the store where they are. */
  readonly keepsDamaged?: boolean;
  /** True for commands that do not hold the project's lock. */
  readonly readonly: boolean;
  /** True for builds that go on when a task fails. */
  readonly keepGoing?: boolean | undefined;
  readonly notice: (text: string) => void;
  readonly hashing?: HashOptions;
  readonly remote?: Remote | null;
}

/** Opens a session for a read-only command. It drops notices, because a later build gives them again. */
export function openReadonlySession(request: Request): Session {
  return openSession(request, { readonly: true, notice: () => undefined });
}

/** A view of the disk without the files that never count in this project. */
export function diskOf({ root, ignore }: Pipeline): Disk {
  return new Disk(new Ignore(root, ignore));
}

export function openSession(
  { pipeline, targets, cwd, ...request }: Request,
  {
    readonly,
    keepGoing = false,
    notice,
    hashing = request.hashing ?? {},
    remote = null,
    keepsDamaged = false,
  }: SessionOptions,
): Session {
  const { root } = pipeline;
  if (!readonly) makeStore(storeFolder(pipeline));
  const disk = diskOf(pipeline);
  const config = configFile(process.env);
  if (config !== null) disk.find(config);
  const graph = expand(pipeline, disk);
  // The data of so many tasks lives until the end. Without this, V8 lets the heap grow to twice that size before it
  // collects garbage.
  if (graph.tasks.length > MANY_TASKS) setFlagsFromString("--heap-growing-percent=50");
  const state = State.open(root, { readonly });
  const mayLackInputs = readonly || keepGoing;
  const session = assemble({
    root,
    readonly,
    mayLackInputs,
    graph,
    state,
    store: openStore(pipeline, notice, keepsDamaged),
    remote,
    disk,
    files: new FileDigests(root, state, disk),
    changed: null,
    hashing,
    producers: {
      outputsUnder: (dir) => outputsUnder(graph, dir),
      makes: (path) => graph.producer(path) !== undefined,
    },
  });
  const { fingerprinter } = session;
  const covered = new Set<Task>();
  return {
    ...session,
    async select(check = true) {
      const folder = relative(root, cwd);
      const found = select(graph, targets, folder);
      // A task whose output gave the values of an axis belongs to the request, even if no task waits for it any more.
      for (const task of found.tasks) covered.add(task);
      const selected = { ...found, tasks: new Set(graph.tasks.filter((task) => covered.has(task))) };
      if (selected.unmatched.length > 0) throw unmatchedError(graph, selected.unmatched, folder);
      if (check) graph.check(selected, mayLackInputs);
      await fingerprinter.prepare([...selected.tasks, ...selected.expansions].map(({ rule }) => rule));
      return selected;
    },
  };
}

type Parts = Omit<Session, "code" | "ruleCode" | "environments" | "fingerprinter" | "select"> & {
  readonly producers: Producers;
};

/** Makes the parts of a session that do not depend on what the request covers. */
export function assemble({ producers, ...parts }: Parts): Omit<Session, "select"> {
  const { root, state, disk, files } = parts;
  const code = new CodeClosures(root, state, disk);
  const environments = new Environments(root, inheritedEnvironment());
  const followed = new FollowedCode(root, state, disk);
  const ruleCode = new RuleCode({ modules: code, followed, environments, disk, files });
  const fingerprinter = new Fingerprinter({
    root,
    graph: producers,
    files,
    writings: {
      isLeftover: (path) =>
        isUntouched(state, files, path) && !parts.graph.mayComeBack(state.writer(path) ?? ""),
    },
    ruleCode,
    tools: new ToolVersions(root, parts.hashing.signal),
    environment: inheritedEnvironment(),
  });
  return { ...parts, code, ruleCode, environments, fingerprinter };
}

function* outputsUnder(graph: Graph, dir: string): Generator<string> {
  for (const { outputs } of graph.producersUnder(dir))
    for (const { path } of outputs) if (path.startsWith(dir) && path !== dir) yield path;
}
