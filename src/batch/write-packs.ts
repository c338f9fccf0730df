/** Writes down for a node what it needs to know of its tasks. */
import { filesUnder } from "../fingerprint/tree.ts";
import type { Signature } from "../files/signature.ts";
import type { Session } from "../session/session.ts";
import type { Ticket } from "./board.ts";
import { writePack, type PackedTask } from "./pack.ts";
import type { JobRequest } from "./system.ts";

export async function writePacks(
  session: Session,
  folder: string,
  packs: readonly (readonly Ticket[])[],
  { cpus, memory, gpus }: JobRequest,
): Promise<void> {
  const action = packs[0]?.[0]?.wanted?.run.task.action;
  const bundle = action?.kind === "run" ? await session.code.bundle(action.module) : null;
  const { root } = session;
  const { cache, ignore } = session.graph.pipeline;
  for (const [element, tickets] of packs.entries()) {
    const tasks = tickets.flatMap(({ id, wanted }): readonly PackedTask[] => {
      if (wanted === null) return [];
      const { task, key, recipe } = wanted.run;
      return [{ ticket: id, task, key, recipe }];
    });
    const pack = { root, cache, ignore, cpus, memory, bundle, devices: gpus !== null, tasks };
    writePack(folder, element, { ...pack, ...inputsOf(session, tasks) });
  }
}

/** What the driver knows of the inputs, so that a node need not read them to see that they are the same. */
function inputsOf(
  { root, files, state, disk }: Session,
  tasks: readonly PackedTask[],
): { readonly signatures: ReadonlyMap<string, Signature>; readonly ignored: ReadonlySet<string> } {
  const signatures = new Map<string, Signature>();
  const ignored = new Set<string>();
  for (const { recipe } of tasks)
    for (const { path, digest, entries, names } of recipe.inputs) {
      const read = names === undefined ? (entries ?? [{ name: "", digest }]) : [];
      for (const each of read) {
        const file = path + each.name;
        const signature = files.signature(file);
        // The state has no digest of a file that may still change without another signature.
        if (signature !== null && state.digestOf(file, signature) === each.digest)
          signatures.set(file, signature);
      }
      const counted = new Set(names ?? entries?.map(({ name }) => name));
      if (path.endsWith("/"))
        for (const name of filesUnder(root, path, disk)) if (!counted.has(name)) ignored.add(path + name);
    }
  return { signatures, ignored };
}
