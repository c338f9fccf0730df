/** Expand: a pipeline → its graph of tasks. */
import type { Pipeline } from "../model.ts";
import { Graph } from "./graph.ts";

/**
 * Reads the names of files for glob axes and the source files that axes name. Throws a `UserError`.
 *
 * @param wrote whether lq wrote a path: what it left there from a build before is no source
 */
export function expand(pipeline: Pipeline, wrote?: (path: string) => boolean): Graph {
  return new Graph(pipeline, wrote);
}
