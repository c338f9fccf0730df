import { join } from "node:path";
import { expect, test } from "vitest";
import { convertV1 } from "../../tasks/study/inference/nnunet-v1.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { backends } from "../helpers/torch.ts";
import { greatestDifference, run } from "../inference/golden-network.ts";
import { testFolder } from "../helpers/folder.ts";

const models = [
  ["a_stunet_small", "Task101_Toy/STUNetTrainer_small__nnUNetPlansv2.1", "c1", "window", "window_logits"],
  ["b_stunet_two_blocks", "Task101_Toy/STUNetTrainer_large__nnUNetPlansv2.1", "network", "input", "logits_0"],
  ["c_generic_unet", "Task502_Toy/nnUNetTrainerV2__nnUNetPlansv2.1", "c2", "window", "window_logits"],
] as const;

for (const [name, model, file, input, logits] of models) {
  const folder = shared(`golden/08_nnunet_v1_stunet/${name}`);
  test.skipIf(!folder)(
    `${name}: logits of one window within 1.3e-5 of nnU-Net v1 (relative if above 1)`,
    async () => {
      const out = testFolder();
      const { channels, patch } = await convertV1(`${folder}/${model}`, out, {}, "logits");
      const arrays = await readNpz(`${folder}/expected/${file}.npz`);
      const golden = arrays.get(logits)!.data;
      const window = arrays.get(input)!.data as Float32Array;
      const largest = (golden as Float32Array).reduce((most, v) => Math.max(most, Math.abs(v)), 1);
      for (const backend of backends) {
        const result = await run(join(out, "fold_0.onnx"), window, [1, channels, ...patch], backend);
        const difference = greatestDifference(result, golden) / largest;
        console.info(
          `${name} on ${backend}: ${difference.toExponential(1)} (largest logit ${largest.toFixed(1)})`,
        );
        expect(difference).toBeLessThan(1.3e-5);
      }
    },
  );
}
