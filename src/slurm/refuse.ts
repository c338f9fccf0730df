/**
 * Refuses what Slurm would refuse, before anything runs. A real submission, which cannot begin for a month and is
 * cancelled at once, judges each request. Rejected: `sbatch --test-only` (calls a request impossible while the nodes
 * that could serve it are drained); `--hold` (Slurm 22.05 does not look at the request before the release).
 */
import { randomBytes } from "node:crypto";
import type { BatchSystem, JobRequest } from "../batch/system.ts";
import { UserError, type Diagnostic } from "../model/errors.ts";
import type { Rule, Task } from "../model/model.ts";
import { duration } from "../report/lines.ts";
import { slurm } from "./command.ts";
import { requestWords } from "./request-words.ts";
import { reasonOf } from "./slurm.ts";

/** @throws UserError with every request that is impossible, and the place of its rule */
export async function refuseImpossible(
  tasks: Iterable<Task>,
  requestOf: (task: Task) => JobRequest,
  system: BatchSystem,
): Promise<void> {
  const distinct = new Map<string, { readonly request: JobRequest; readonly tasks: Map<Rule, Task> }>();
  const diagnostics: Diagnostic[] = [];
  for (const task of tasks)
    try {
      const request = requestOf(task);
      const text = JSON.stringify({ ...request, settings: [...request.settings] });
      const alike = distinct.get(text) ?? { request, tasks: new Map<Rule, Task>() };
      distinct.set(text, alike);
      if (!alike.tasks.has(task.rule)) alike.tasks.set(task.rule, task);
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      diagnostics.push(...error.diagnostics);
    }
  for (const { request, tasks: alike } of distinct.values()) {
    const why = tooLong(request, system) ?? (await impossible(request));
    if (why !== null)
      for (const { id, rule } of alike.values()) {
        const span = why.key === null ? undefined : rule.slurm?.get(why.key)?.[0]?.span;
        diagnostics.push({ message: `${id} can never start: ${why.text}`, span: span ?? rule.span });
      }
  }
  // One message for each place: rules often share a setting.
  const places = new Map<string, Diagnostic>();
  for (const each of diagnostics) {
    const place = `${each.span?.file} ${each.span?.start}`;
    if (!places.has(place)) places.set(place, each);
  }
  if (places.size > 0) throw new UserError([...places.values()]);
}

interface Why {
  readonly text: string;
  /** The setting that is wrong, where it is one. */
  readonly key: string | null;
}

function tooLong(request: JobRequest, system: BatchSystem): Why | null {
  const longest = system.longest(request);
  if (longest === null || request.seconds === null || request.seconds <= longest) return null;
  const [partition = "the default partition"] = request.settings.get("partition") ?? [];
  const text = `it asks for ${duration(request.seconds)} and the limit of ${partition} is ${duration(longest)}`;
  return { text, key: "time" };
}

async function impossible(request: JobRequest): Promise<Why | null> {
  const name = `lq-check-${randomBytes(6).toString("hex")}`;
  const words = ["--parsable", "--begin=now+30days", `--job-name=${name}`, "--output=/dev/null", "--chdir=/"];
  const answer = await slurm("sbatch", [...words, ...requestWords(request, 1, [])], "#!/bin/sh\n");
  const id = /^(\d+)/.exec(answer.stdout)?.[1];
  if (answer.code === 0 && id !== undefined) {
    await slurm("scancel", [id]);
    return null;
  }
  const text = `Slurm refuses its request: ${reasonOf(answer.stderr)}`;
  return { text, key: /partition/i.test(answer.stderr) ? "partition" : null };
}
