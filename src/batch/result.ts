/** How a task ended in a job, as a file. */
import * as z from "zod/mini";
import { StoredOutputShape } from "../store/action.ts";

const facts = {
  version: z.literal(1),
  key: z.string(),
  job: z.string(),
  node: z.string(),
  /** Milliseconds since 1970 on the node's clock. */
  started: z.number(),
  /** Seconds since then. */
  seconds: z.number(),
};

const Shape = z.discriminatedUnion("kind", [
  z.object({
    ...facts,
    kind: z.literal("ran"),
    outputs: z.array(StoredOutputShape),
    /** Paths of the staged outputs from `cache/jobs/`, in the order of the task. */
    staged: z.array(z.string().check(z.refine((path) => !path.split("/").includes("..")))),
    finished: z.number(),
  }),
  z.object({ ...facts, kind: z.literal("failed"), error: z.string(), memory: z.boolean() }),
  z.object({ ...facts, kind: z.literal("inputs-changed"), paths: z.array(z.string()) }),
  /** It was warned that its time is up. */
  z.object({ ...facts, kind: z.literal("cut"), saved: z.boolean() }),
]);

type Immutable<T> = T extends object ? { readonly [K in keyof T]: Immutable<T[K]> } : T;

export type TaskResult = Immutable<z.infer<typeof Shape>>;

/** Null if the text is not a result. */
export function decodeResult(text: string): TaskResult | null {
  try {
    return Shape.safeParse(JSON.parse(text)).data ?? null;
  } catch {
    return null;
  }
}
