/** Expand: a pipeline → its graph of tasks. */
import { Disk } from "../files/disk.ts";
import type { Pipeline } from "../model/model.ts";
import { Graph } from "./graph.ts";

/** Lists files for glob axes, and reads source files that axes name. @throws UserError if the pipeline is wrong */
export function expand(pipeline: Pipeline, disk = new Disk()): Graph {
  return new Graph(pipeline, disk);
}
