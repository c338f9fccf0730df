/** Expand: a pipeline → its graph of tasks. */
import { Disk } from "../files/disk.ts";
import type { Pipeline } from "../model/model.ts";
import { Graph } from "./graph.ts";

/** Reads the names of files for glob axes and the source files that axes name. Throws a `UserError`. */
export function expand(pipeline: Pipeline, disk = new Disk()): Graph {
  return new Graph(pipeline, disk);
}
