/** Exports a trained checkpoint: as an ONNX model, and as a state dict with MONAI's names. */
import { writeFileSync } from "node:fs";
import { task } from "lq";
import { readCheckpoint } from "./study/nn/checkpoint.ts";
import { exportOnnx, exportStateDict } from "./study/nn/export.ts";

export default task({
  async run({ input, output }) {
    const checkpoint = await readCheckpoint(input());
    writeFileSync(output("onnx"), exportOnnx(checkpoint));
    writeFileSync(output("weights"), exportStateDict(checkpoint));
  },
});
