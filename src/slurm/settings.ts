/** The settings for Slurm as texts and numbers, for one task or for the build. */
import { bindText } from "../expand/bind.ts";
import { secondsOf } from "../load/slots.ts";
import { UserError, type Span } from "../model/errors.ts";
import type { Pipeline, SlurmSettings, Task, Template } from "../model/model.ts";
import { bytesOf } from "../system/sizes.ts";
import type { JobRequest } from "../batch/system.ts";

export interface QueueSettings {
  readonly jobs: number;
  /** Seconds. */
  readonly pack: number;
  readonly poll: number;
}

const DEFAULTS: QueueSettings = { jobs: 200, pack: 600, poll: 30 };

/** Flags of sbatch that lq itself gives. */
const OWN_FLAGS =
  /^(--(job-name|no-requeue|requeue|ntasks|nodes|output|chdir|signal|array|parsable|wrap|wait|test-only)(=|$)|-[JnNoDaW])/;

/** @throws UserError for a value of another form, with its place */
export function queueSettings({ slurm, params }: Pipeline): QueueSettings {
  const { texts, span } = bind(slurm, { axes: [], params }, []);
  const [jobs] = texts.get("jobs") ?? [];
  const count = jobs === undefined ? DEFAULTS.jobs : /^[1-9]\d{0,8}$/.test(jobs) ? Number(jobs) : null;
  if (count === null) throw wrong("jobs", jobs ?? "", "a whole number above 0", span("jobs"));
  const seconds = (key: "pack" | "poll", least: string): number => {
    const [text] = texts.get(key) ?? [];
    if (text === undefined) return DEFAULTS[key];
    if (key === "pack" && text === "0") return 0;
    return secondsOf(text) ?? fail(wrong(key, text, `a duration, as in 90s, 30m or 2h${least}`, span(key)));
  };
  return { jobs: count, pack: seconds("pack", ", or 0"), poll: seconds("poll", "") };
}

/** @throws UserError for a value of another form, with its place */
export function requestOf(task: Task, { params }: Pick<Pipeline, "params">): JobRequest {
  const { rule } = task;
  const { slots } = rule;
  const { texts, span } = bindOf(task, params);
  for (const [i, option] of (texts.get("options") ?? []).entries())
    if (OWN_FLAGS.test(option))
      throw new UserError({
        message: `"options" cannot contain ${option}: lq gives this argument itself`,
        ...spanOf(rule.slurm?.get("options")?.[i]?.span),
      });
  const [time] = texts.get("time") ?? [];
  const seconds =
    time === undefined
      ? null
      : (secondsOf(time) ?? fail(wrong("time", time, "a duration, as in 30m or 2d", span("time"))));
  const gpu = slots.gpu?.optional === true ? null : slots.gpu;
  return {
    cpus: slots.cpu,
    memory: slots.memory,
    gpus: gpu === null ? null : { count: gpu.count, type: gpu.type },
    seconds: seconds ?? (rule.timeout === null ? null : rule.timeout + rule.grace),
    grace: rule.grace,
    settings: texts,
  };
}

/** Bytes; 0: no limit. @throws UserError for a value of another form, with its place */
export function mostMemoryOf(task: Task, { params }: Pick<Pipeline, "params">): number {
  const { texts, span } = bindOf(task, params);
  const [text] = texts.get("most_memory") ?? [];
  if (text === undefined) return 0;
  return bytesOf(text) ?? fail(wrong("most_memory", text, "a size, as in 64GiB", span("most_memory")));
}

interface Bound {
  readonly texts: ReadonlyMap<string, readonly string[]>;
  readonly span: (key: string) => Span | undefined;
}

function bindOf({ rule, bindings }: Task, params: Pipeline["params"]): Bound {
  return bind(
    rule.slurm ?? new Map<string, readonly Template[]>(),
    { axes: rule.each.map(({ name }) => name), params },
    bindings,
  );
}

function bind(
  settings: SlurmSettings,
  names: { readonly axes: readonly string[]; readonly params: Pipeline["params"] },
  bindings: Task["bindings"],
): Bound {
  const texts = [...settings].map(([key, templates]) => {
    return [key, templates.map((template) => bindText(template, names)(bindings))] as const;
  });
  return { texts: new Map(texts), span: (key) => settings.get(key)?.[0]?.span };
}

function wrong(key: string, text: string, form: string, span: Span | undefined): UserError {
  return new UserError({ message: `"${key}" must be ${form}, not "${text}"`, ...spanOf(span) });
}

function spanOf(span: Span | undefined): { readonly span?: Span } {
  return span === undefined ? {} : { span };
}

function fail(error: Error): never {
  throw error;
}
