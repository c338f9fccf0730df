import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { HOME } from "../helpers/bundle.ts";
import { createGraph } from "../../tasks/study/nn/onnx/graph.ts";
import { createSession, type SessionOptions } from "../../tasks/study/nn/session.ts";

function open(options: SessionOptions) {
  const graph = createGraph("copy");
  graph.output("y", graph.input("x", "float32", [1]), "float32", [1]);
  return createSession(graph.finish(), options);
}

test("without a GPU, device: auto runs on the CPU and device: cuda is refused", async () => {
  const lines: string[] = [];
  await open({ device: "auto", threads: 2, log: (line) => lines.push(line) });
  expect(lines).toEqual(["loaded a network on cpu, threads: 2"]);
  await expect(open({ device: "cuda" })).rejects.toThrow("the task holds no GPU");
});

const libraries = `${HOME}node_modules/onnxruntime-node/bin/napi-v6/linux/x64`;

test.skipIf(existsSync(`${libraries}/libonnxruntime_providers_cuda.so`))(
  "without CUDA's libraries, cuda says how to get them and auto runs on the CPU",
  async () => {
    await expect(open({ device: "cuda", devices: ["0"] })).rejects.toThrow(
      "node_modules/onnxruntime-node/script/install",
    );
    const lines: string[] = [];
    await open({ device: "auto", devices: ["0"], log: (line) => lines.push(line) });
    expect(lines.join()).toMatch(/^loaded a network on cpu, threads: 1 \(not on cuda: .+\)$/s);
  },
);

test("webgpu runs or says what it needs", async () => {
  const [session, error] = await open({ device: "webgpu", devices: ["0"] }).then(
    (opened) => [opened, null] as const,
    (reason: unknown) => [null, reason as Error] as const,
  );
  if (session) expect(session.outputNames).toEqual(["y"]);
  else
    expect(error.message).toMatch(
      /^onnxruntime cannot load the model \(webgpu: [^/\n]+\)\. WebGPU needs a GPU/,
    );
});
