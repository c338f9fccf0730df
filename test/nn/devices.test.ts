import { expect, test } from "vitest";
import { createGraph } from "../../tasks/lib/nn/onnx/graph.ts";
import { createSession, type SessionOptions } from "../../tasks/lib/nn/session.ts";

function open(options: SessionOptions) {
  const graph = createGraph("copy");
  graph.output("y", graph.input("x", "float32", [1]), "float32", [1]);
  return createSession(graph.finish(), options);
}

test("a task without a GPU runs on the CPU with device: auto, and is refused with device: cuda", async () => {
  const lines: string[] = [];
  await open({ device: "auto", threads: 2, log: (line) => lines.push(line) });
  expect(lines).toEqual(["loaded a network on cpu, threads: 2"]);
  await expect(open({ device: "cuda" })).rejects.toThrow("the task holds no GPU");
});
