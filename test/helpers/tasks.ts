/** Makes tasks and a graph for unit tests, without a pipeline. */
import type { Json, Rule, Task, TaskPath, Template } from "../../src/model/model.ts";
import { NO_ENVIRONMENT } from "../../src/load/environment.ts";
import type { Producers } from "../../src/fingerprint/tree.ts";

export interface TaskSpec {
  readonly inputs?: { readonly [role: string]: string };
  readonly outputs?: { readonly [role: string]: string };
  readonly params?: { readonly [name: string]: Json };
  readonly env?: { readonly [name: string]: string | null };
  readonly tools?: readonly string[];
}

const span = { file: "pipeline.yaml", start: 0, end: 1 };

/** A task that runs tasks/x.ts. */
export function task(id: string, spec: TaskSpec): Task & { readonly spec: TaskSpec } {
  const rule: Rule = {
    name: id,
    span,
    each: [],
    action: { kind: "run", module: "tasks/x.ts", span },
    code: [],
    packages: true,
    environment: NO_ENVIRONMENT,
    inputs: [],
    outputs: [],
    with: new Map(),
    env: new Map(),
    tools: spec.tools ?? [],
    slots: { cpu: 1, memory: 0, gpu: null, pools: new Map() },
    when: null,
    resume: false,
    shape: false,
    lock: false,
    retries: 0,
    grace: 30,
    oom: null,
    timeout: null,
    slurm: null,
  };
  const params = Object.entries(spec.params ?? {}).map(([name, value]) => [name, { value, origin: null }]);
  return {
    id,
    rule,
    index: 0,
    bindings: [],
    inputs: paths(spec.inputs),
    outputs: paths(spec.outputs),
    params: Object.fromEntries(params) as Task["params"],
    env: spec.env ?? {},
    action: rule.action,
    spec,
  };
}

/** A task that runs a command under bash. The parts "in" and "out" stand for its paths, the others are text. */
export function cmd(id: string, parts: readonly string[], input: string, output: string): Task {
  const command: Template = {
    parts: parts.map((text) =>
      text === "in" || text === "out" ? { kind: text, role: null, span } : { kind: "text", text },
    ),
    span,
  };
  const base = task(id, { inputs: { in: input }, outputs: { out: output } });
  const action = { kind: "cmd", command, span } as const;
  return { ...base, rule: { ...base.rule, action }, action };
}

export function graphOf(tasks: readonly Task[]): Producers {
  const outputs = tasks.flatMap((each) => each.outputs.map(({ path }) => path));
  return {
    outputsUnder: (dir) => outputs.filter((path) => path.startsWith(dir) && path !== dir),
    makes: (path) =>
      outputs.some((output) => output === path || (output.endsWith("/") && path.startsWith(output))),
  };
}

function paths(roles: { readonly [role: string]: string } = {}): TaskPath[] {
  return Object.entries(roles).map(([role, path]) => ({ role, list: false, path }));
}
