/**
 * Exports a checkpoint as an ONNX model for inference and as a state dict for PyTorch.
 *
 *     from monai.networks.nets import DynUNet
 *     from safetensors.torch import load_file
 *     network = DynUNet(…)                                  # the arguments are in the checkpoint's spec
 *     network.load_state_dict(load_file("model.safetensors"))
 */
import type { Triple } from "../arrays.ts";
import type { Checkpoint } from "./checkpoint.ts";
import { inferenceGraph } from "./inference-graph.ts";
import { aliases, parameters } from "./parameters.ts";
import { encodeSafetensors, type StoredTensor } from "./safetensors.ts";

/** The ONNX file; `size` (z, y, x) fixes the input's size. */
export function exportOnnx(checkpoint: Checkpoint, size?: Triple): Uint8Array {
  return inferenceGraph(checkpoint.spec, checkpoint.weights, size);
}

/** A safetensors file with every name of MONAI's state dict, also the second names (see `aliases`). */
export function exportStateDict({ spec, weights }: Pick<Checkpoint, "spec" | "weights">): Uint8Array {
  const tensors = new Map<string, StoredTensor>(
    parameters(spec).map(({ name, shape }) => [name, { shape, data: weights.get(name)! }]),
  );
  for (const [alias, name] of aliases(spec)) tensors.set(alias, tensors.get(name)!);
  return encodeSafetensors({ tensors, metadata: new Map([["format", "pt"]]) });
}
