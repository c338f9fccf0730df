/**
 * The files with which lq and the jobs of a project speak to each other: `cache/jobs/`.
 *
 *     NAME/             a submission: submission.json, and for each job N.pack, N.events, N.out; staging/
 *     claims/TICKET     who runs the task, then its result
 *     results/TICKET    how the task ended, until the driver has taken it
 *
 * A ticket is one need for one run of a task. Every job that has the task has the same ticket, so whoever creates the
 * claim first runs the task, and nobody else does.
 */
import { randomUUID } from "node:crypto";
import { linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { errorCode } from "../model/errors.ts";
import { JOBS } from "../model/layout.ts";
import { ifThere } from "../files/network-files.ts";
import { remove } from "../files/remove.ts";
import { decodeResult, type TaskResult } from "./result.ts";

const CLAIMS = "claims";
const RESULTS = "results";

/** Who claimed a ticket: a job, or the driver, which thereby keeps every job from running the task. */
export interface Claimant {
  readonly job: string;
  /** How often the system had started the job before. */
  readonly restart: number;
  readonly node: string;
}

export type Claim =
  { readonly kind: "taken"; readonly by: Claimant } | { readonly kind: "done"; readonly result: TaskResult };

export class JobsFolder {
  /** Absolute. */
  readonly path: string;

  constructor(root: string) {
    this.path = join(root, JOBS);
  }

  make(): void {
    for (const name of [CLAIMS, RESULTS]) mkdirSync(join(this.path, name), { recursive: true });
  }

  submission(name: string): string {
    return join(this.path, name);
  }

  /** Names of the submissions. */
  submissions(): readonly string[] {
    return list(this.path).filter((name) => name !== CLAIMS && name !== RESULTS);
  }

  /** @returns null if the claim is new and of this claimant; else the claim that was there */
  claim(ticket: string, by: Claimant): Claim | null {
    const file = join(this.path, CLAIMS, ticket);
    const own = `${file}.${randomUUID()}`;
    const text = JSON.stringify({ by });
    writeFileSync(own, text);
    try {
      linkSync(own, file);
      return null;
    } catch (error) {
      if (errorCode(error) !== "EEXIST") throw error;
      const there = this.claimOf(ticket);
      // A file server may have answered a link that it had made already.
      if (there?.kind === "taken" && sameJob(there.by, by)) return null;
      if (there?.kind === "taken" && there.by.job === by.job && there.by.restart < by.restart) {
        renameSync(own, file);
        return null;
      }
      return there ?? this.claim(ticket, by);
    } finally {
      rmSync(own, { force: true });
    }
  }

  claimOf(ticket: string): Claim | null {
    const text = ifThere(() => readFileSync(join(this.path, CLAIMS, ticket), "utf8"));
    if (text === null) return null;
    const result = decodeResult(text);
    if (result !== null) return { kind: "done", result };
    const { by } = JSON.parse(text) as { readonly by: Claimant };
    return { kind: "taken", by };
  }

  /** Lets another job run the task. Only for a claim whose job is over. */
  release(ticket: string): void {
    rmSync(join(this.path, CLAIMS, ticket), { force: true });
  }

  putResult(ticket: string, result: TaskResult): void {
    const file = join(this.path, RESULTS, ticket);
    writeFileSync(`${file}.new`, JSON.stringify(result));
    renameSync(`${file}.new`, file);
  }

  /** Tickets that have a result. @param fresh also what a file server's client does not see yet */
  results(fresh = false): readonly string[] {
    const folder = join(this.path, RESULTS);
    if (fresh) {
      // A change by this machine ends what its client remembers of the folder.
      const probe = join(folder, `${randomUUID()}.new`);
      writeFileSync(probe, "");
      rmSync(probe, { force: true });
    }
    return list(folder).filter((name) => !name.endsWith(".new"));
  }

  /** Null: there is none, or it is not readable. */
  result(ticket: string): TaskResult | null {
    const text = ifThere(() => readFileSync(join(this.path, RESULTS, ticket), "utf8"));
    return text === null ? null : decodeResult(text);
  }

  /** The result was taken. It becomes the claim, so that no job runs the task again. */
  taken(ticket: string): void {
    ifThere(() => renameSync(join(this.path, RESULTS, ticket), join(this.path, CLAIMS, ticket)));
  }

  /** Removes a submission. Its jobs, if some are left, then start no task. */
  removeSubmission(name: string, tickets: readonly string[]): void {
    remove(this.submission(name));
    for (const ticket of tickets) {
      this.release(ticket);
      rmSync(join(this.path, RESULTS, ticket), { force: true });
    }
  }
}

function sameJob(a: Claimant, b: Claimant): boolean {
  return a.job === b.job && a.restart === b.restart && a.node === b.node;
}

function list(folder: string): readonly string[] {
  return ifThere(() => readdirSync(folder)) ?? [];
}
