/** Leaves a seal (src/seal) where a look at a whole request found every task fresh. */
import { join } from "node:path";
import { isRacy, type Signature } from "../signature.ts";
import { installation } from "../fingerprint/installation.ts";
import { STATE_LOG } from "../record/layout.ts";
import { writeSeal } from "../seal/seal.ts";
import type { Plan } from "./plan.ts";
import type { SealRequest } from "./request.ts";
import type { Session } from "./session.ts";

/**
 * Nothing is left when something is not fresh, changed while it was looked at, or is so young that another change
 * could look the same; nor when a tool has to be asked for its version each time. The state must be closed.
 */
export function sealPlan(
  session: Session,
  { selected, verdicts }: Plan,
  { request, since }: SealRequest,
): void {
  const { root, disk, files, graph } = session;
  const isFresh = [...selected.tasks].every((task) => {
    const verdict = verdicts.get(task);
    return verdict?.kind === "decided" && verdict.freshness.state === "fresh";
  });
  const rules = new Set([...selected.tasks].map(({ rule }) => rule));
  if (!isFresh || !disk.steady || !files.steady || [...rules].some(({ tools }) => tools.length > 0)) return;

  const paths = new Map<string, Signature | null>();
  for (const file of graph.pipeline.files) {
    const signature = disk.signature(join(root, file));
    if (signature !== null && isRacy(signature, since)) return;
    paths.set(file, signature);
  }
  for (const seen of [disk.told(), files.seen()])
    for (const [path, signature] of seen) {
      if (signature !== null && isRacy(signature, disk.since)) return;
      paths.set(path, signature);
    }
  // Only ever appended to or replaced, so its size or inode tells of every change; and lq itself, as compiled.
  for (const file of [join(root, STATE_LOG), join(installation(), "dist/.stamp")])
    paths.set(file, disk.signature(file));

  const environment = [...rules].flatMap(({ env }) =>
    [...env].flatMap(([name, value]) => (value === null ? [name] : [])),
  );
  writeSeal(root, { request, tasks: selected.tasks.size, environment, paths }, process.env);
}
