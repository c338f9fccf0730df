import { join } from "node:path";
import { expect, test } from "vitest";
import { convertModel } from "../../tasks/study/inference/convert.ts";
import { convertSam } from "../../tasks/study/inference/convert-sam.ts";
import { boxSettings, modelBox, promptsOf } from "../../tasks/study/medsam/boxes.ts";
import { connectedParts, withoutSmallParts } from "../../tasks/study/components.ts";
import { encoderInput, resizeSlice, toBytes } from "../../tasks/study/medsam/image.ts";
import { maskOf, predictMedSam } from "../../tasks/study/medsam/predict.ts";
import { openNetwork } from "../../tasks/study/nn/network.ts";
import { createRandom } from "../../tasks/study/random.ts";
import type { LabelVolume, Volume } from "../../tasks/study/volume/volume.ts";
import { differing, greatestDifference } from "../inference/golden-network.ts";
import { type NpyArray, readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { backends } from "../helpers/torch.ts";
import { testFolder } from "../helpers/folder.ts";

const folder = shared("golden/07_sam_medsam");
const [depth, height, width, size] = [6, 72, 96, 256];
const area = height * width;
const window = [-160, 240] as const;
const boxes = boxSettings.parse({});
const random = createRandom("none is drawn");

const protocol = () => readNpz(`${folder}/medsam_protocol.npz`);
const part = ({ data, shape }: NpyArray, i: number) => {
  const length = data.length / shape[0]!;
  return data.subarray(i * length, (i + 1) * length);
};

test.skipIf(!folder)(
  "from HU to the encoder's input: equal bytes and input, resizing within 2.6e-12",
  async () => {
    const golden = await protocol();
    const bytes = toBytes(golden.get("image_hu")!.data, window);
    expect(bytes).toEqual(golden.get("image_u8")!.data);
    let [resizing, input] = [0, 0];
    for (let z = 0; z < depth; z++) {
      const resized = await resizeSlice(bytes.subarray(z * area, (z + 1) * area), height, width, size);
      resizing = Math.max(resizing, greatestDifference(resized, part(golden.get("resized_float64")!, z)));
      const given = part(golden.get("encoder_input_one_channel")!, z);
      input = Math.max(input, greatestDifference(encoderInput(resized).subarray(0, size * size), given));
    }
    console.info(`MedSAM: resized ${resizing.toExponential(1)}, encoder input ${input.toExponential(1)}`);
    expect(resizing).toBeLessThan(2.6e-12);
    expect(input).toBe(0);
  },
);

test.skipIf(!folder)("slices are enlarged, reduced or both as in scikit-image, within 2.6e-12", async () => {
  const variants = await readNpz(`${folder}/resize_variants.npz`);
  for (const name of ["enlarge", "reduce", "mixed"]) {
    const { data, shape } = variants.get(`${name}_input_u8`)!;
    const resized = await resizeSlice(data as Uint8Array, shape[0]!, shape[1]!, size);
    const worst = greatestDifference(resized, variants.get(`${name}_reflect`)!.data);
    console.info(`${name}: ${worst.toExponential(1)}`);
    expect(worst).toBeLessThan(2.6e-12);
  }
});

test.skipIf(!folder)(
  "boxes in the order of slices and labels: equal in pixels, within 1e-9 in the encoder's pixels",
  async () => {
    const golden = await protocol();
    const labels = golden.get("labels")!.data as Uint8Array;
    const found = Array.from({ length: depth }, (_, z) =>
      promptsOf(labels.subarray(z * area, (z + 1) * area), height, width, boxes).map((prompt) => ({
        z,
        ...prompt,
      })),
    ).flat();
    expect(found.flatMap(({ z, label }) => [z, label])).toEqual([...golden.get("slice_and_label")!.data]);
    expect(found.flatMap(({ box }) => [...box])).toEqual([...golden.get("boxes_pixels")!.data]);
    const inModel = found.flatMap((prompt) => modelBox(prompt, height, width, size, boxes, random));
    expect(greatestDifference(inModel, golden.get("boxes_model")!.data)).toBeLessThan(1e-9);
  },
);

test.skipIf(!folder).each(backends)(
  "network outputs and probabilities of every prompt on %s",
  async (backend) => {
    const golden = await protocol();
    const out = testFolder();
    await convertSam(`${folder}/tiny_sam.pth`, out, 4);
    const encoder = await openNetwork(join(out, "encoder.onnx"), { backend });
    const decoder = await openNetwork(join(out, "decoder.onnx"), { backend });
    const pairs = golden.get("slice_and_label")!.data;
    const worst = { embeddings: 0, logits: 0, iou: 0, probability: 0 };
    for (let i = 0; i < pairs.length / 2; i++) {
      const z = pairs[2 * i]!;
      const channel = part(golden.get("encoder_input_one_channel")!, z) as Float32Array;
      const pixels = new Float32Array(3 * channel.length);
      [0, 1, 2].forEach((c) => pixels.set(channel, c * channel.length));
      const image = { shape: [1, 3, size, size], data: pixels };
      const { image_embeddings } = await encoder.run({ image });
      const boxes = { shape: [1, 4], data: Float32Array.from(part(golden.get("boxes_model")!, i)) };
      const { masks, iou } = await decoder.run({ image_embeddings: image_embeddings!, boxes });
      const edge = masks!.shape[3]!;
      const logits = masks!.data.subarray(0, edge * edge);
      const recorded = part(golden.get("low_res_logits")!, i) as Float32Array;
      const raise = (key: keyof typeof worst, a: ArrayLike<number>, b: ArrayLike<number>) =>
        (worst[key] = Math.max(worst[key], greatestDifference(a, b)));
      raise("embeddings", image_embeddings!.data, part(golden.get("image_embeddings")!, z));
      raise("logits", logits, recorded);
      raise("iou", [iou!.data[0]!], part(golden.get("iou")!, i));
      const probability = await maskOf(recorded, edge, height, width);
      raise("probability", probability, part(golden.get("probability")!, i));
      const mask = Uint8Array.from(probability, (p) => Number(p > 0.5));
      expect(differing(mask, part(golden.get("mask")!, i)), `mask ${i}`).toBe(0);
    }
    console.info("MedSAM's network on", backend, worst);
    // Ten times the measured differences.
    expect(worst.embeddings).toBeLessThan(3e-5);
    expect(worst.logits).toBeLessThan(3.1e-4);
    expect(worst.iou).toBeLessThan(3e-6);
    expect(worst.probability).toBeLessThan(2.5e-5);
  },
);

async function case6(): Promise<{ image: Volume; labels: LabelVolume; golden: Map<string, NpyArray> }> {
  const golden = await protocol();
  const grid = {
    size: [width, height, depth],
    spacing: [1, 1, 3],
    affine: [-1, 0, 0, 40, 0, -1, 0, 30, 0, 0, 3, -20, 0, 0, 0, 1],
  } as const;
  return {
    image: { ...grid, data: golden.get("image_hu")!.data },
    labels: { ...grid, data: golden.get("labels")!.data as Uint8Array },
    golden,
  };
}

test.skipIf(!folder).each(backends)(
  "a whole volume on %s: labels are equal, whichever overlap rule",
  async (backend) => {
    const { image, labels, golden } = await case6();
    const out = testFolder();
    await convertModel(folder!, out, { decoderHeads: 4 });
    const later = await predictMedSam(out, image, labels, {
      window,
      boxes,
      overlap: "later",
      threads: 1,
      backend,
    });
    const likelier = await predictMedSam(out, image, labels, {
      window,
      boxes,
      overlap: "likelier",
      threads: 1,
      backend,
    });
    const share = differing(later.data, golden.get("final_labels")!.data);
    const other = differing(likelier.data, golden.get("final_labels_highest_probability")!.data);
    const voxels = depth * area;
    console.info(
      `MedSAM on ${backend}: ${share * voxels} and (highest probability) ${other * voxels} of ${voxels} voxels differ`,
    );
    expect(share).toBe(0);
    expect(other).toBe(0);
    expect(later).toMatchObject({ size: image.size, affine: image.affine });

    // The same volume, stored with slices along x, gives the same axial slices.
    const turned = await predictMedSam(out, alongX(image), alongX(labels), {
      window,
      boxes,
      overlap: "later",
      backend,
    });
    expect(turned.data).toEqual(alongX(later).data);
  },
);

/** The same volume with axes stored in the order z, x, y, and with its affine. */
function alongX<V extends Volume>(volume: V): V {
  const [nx, ny, nz] = volume.size;
  const data = volume.data.slice();
  for (let z = 0; z < nz; z++) {
    for (let y = 0; y < ny; y++) {
      for (let x = 0; x < nx; x++) data[z + nz * (x + nx * y)] = volume.data[x + nx * (y + ny * z)]!;
    }
  }
  const a = volume.affine;
  const affine = [0, 4, 8]
    .flatMap((row) => [a[row + 2]!, a[row]!, a[row + 1]!, a[row + 3]!])
    .concat(0, 0, 0, 1);
  const [sx, sy, sz] = volume.spacing;
  return { ...volume, data, size: [nz, nx, ny], spacing: [sz, sx, sy], affine };
}

const twoParts = Uint8Array.from("1100000 1100020 0000022 0000000 1000000".replaceAll(" ", ""), Number);

test("settings of boxes: parts, least sizes, shift and jitter", () => {
  const prompts = (settings: object) => promptsOf(twoParts, 5, 7, boxSettings.parse(settings));
  expect(prompts({})).toEqual([
    { label: 1, box: [0, 0, 1, 4] },
    { label: 2, box: [5, 1, 6, 2] },
  ]);
  expect(prompts({ per: "part" }).map(({ box }) => box)).toEqual([
    [0, 0, 1, 1],
    [0, 4, 0, 4],
    [5, 1, 6, 2],
  ]);
  expect(prompts({ least_pixels: 4 })).toEqual([{ label: 1, box: [0, 0, 1, 1] }]);
  const box = { label: 1, box: [10, 20, 30, 40] as const };
  expect(modelBox(box, 100, 100, 100, { shift: 15, jitter: 0 }, random)).toEqual([0, 5, 45, 55]);
  const drawn = (seed: number) => modelBox(box, 100, 100, 100, { shift: 0, jitter: 9 }, createRandom(seed));
  expect(drawn(1)).toEqual(drawn(1));
  expect(drawn(1)).not.toEqual(drawn(2));
});

test("voxels of one label are connected at corners, across slices too", () => {
  const labels = Uint8Array.of(1, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0);
  const { parts, sizes } = connectedParts(labels, [3, 2, 2]);
  expect([...parts]).toEqual([1, 0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0]);
  expect(sizes).toEqual([0, 2, 1]);
  expect([...withoutSmallParts(labels, [3, 2, 2], 2)]).toEqual([1, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]);
});
