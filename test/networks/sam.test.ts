import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convertSam } from "../../tasks/study/inference/convert-sam.ts";
import { Network } from "../../tasks/study/networks/network.ts";
import { samDecoder } from "../../tasks/study/networks/sam-decoder.ts";
import { samEncoder } from "../../tasks/study/networks/sam-encoder.ts";
import { openNetwork } from "../../tasks/study/nn/network.ts";
import { Storage, Tensor as Weights } from "../../tasks/study/torch/tensor.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { backends } from "../helpers/torch.ts";
import { greatestDifference } from "../inference/golden-network.ts";
import { testFolder } from "../helpers/folder.ts";

const folder = shared("golden/07_sam_medsam");

test.skipIf(!folder).each(backends)(
  "SAM on %s: embeddings within 3e-5, mask logits within 3.1e-4, IoU within 3e-6",
  async (backend) => {
    const out = testFolder();
    const { size, grid, channels } = await convertSam(`${folder}/tiny_sam.pth`, out, 4);
    const golden = await readNpz(`${folder}/model_io.npz`);
    const part = (name: string, i: number, count: number) => {
      const { data } = golden.get(name)!;
      const length = data.length / count;
      return data.slice(i * length, (i + 1) * length) as Float32Array;
    };
    const encoder = await openNetwork(join(out, "encoder.onnx"), { backend });
    const decoder = await openNetwork(join(out, "decoder.onnx"), { backend });
    const worst = { embeddings: 0, logits: 0, iou: 0 };
    for (let i = 0; i < 3; i++) {
      const pixels = Float32Array.from(part("images_u8", i, 3), (v) => v / 255);
      const image = { shape: [1, 3, size, size], data: pixels };
      const { image_embeddings } = await encoder.run({ image });
      const embedding = part("image_embeddings", i, 3);
      const raise = (key: keyof typeof worst, a: ArrayLike<number>, b: ArrayLike<number>) =>
        (worst[key] = Math.max(worst[key], greatestDifference(a, b)));
      raise("embeddings", image_embeddings!.data, embedding);

      const { masks, iou } = await decoder.run({
        image_embeddings: { shape: [1, channels, grid, grid], data: embedding },
        boxes: { shape: [3, 4], data: part("boxes", i, 3) },
      });
      expect(masks!.shape).toEqual([3, 4, 4 * grid, 4 * grid]);
      const area = 16 * grid * grid;
      const logits = masks!.data;
      const quality = iou!.data;
      for (let box = 0; box < 3; box++) {
        const at = (i * 3 + box) * area;
        const single = golden.get("low_res_logits_single")!.data.subarray(at, at + area);
        const multiple = golden.get("low_res_logits_multi")!.data.subarray(3 * at, 3 * at + 3 * area);
        raise("logits", logits.subarray(4 * box * area, (4 * box + 1) * area), single);
        raise("logits", logits.subarray((4 * box + 1) * area, (4 * box + 4) * area), multiple);
        const goldenIou = [
          golden.get("iou_single")!.data[i * 3 + box]!,
          ...golden.get("iou_multi")!.data.subarray((i * 3 + box) * 3, (i * 3 + box + 1) * 3),
        ];
        raise("iou", quality.subarray(4 * box, 4 * box + 4), goldenIou);
      }
    }
    console.info("SAM", backend, worst);
    expect(worst.embeddings).toBeLessThan(3e-5);
    expect(worst.logits).toBeLessThan(3.1e-4);
    expect(worst.iou).toBeLessThan(3e-6);
  },
);

test.skipIf(!folder)("the names and shapes of medsam_vit_b.pth (ViT-B) fit", () => {
  const { entries } = JSON.parse(readFileSync(`${folder}/vit_b_state_dict_shapes.json`, "utf8")) as {
    entries: { name: string; shape: number[] }[];
  };
  const state = new Map(
    entries.map(({ name, shape }) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const strides = shape.map((_, i) => shape.slice(i + 1).reduce((a, b) => a * b, 1));
      return [name, new Weights(new Storage("float32", size, null), 0, shape, strides)];
    }),
  );
  const image = samEncoder(new Network("encoder", state));
  expect(image).toEqual({ size: 1024, grid: 64, channels: 256 });
  expect(() => samDecoder(new Network("decoder", state), image)).not.toThrow();
});
