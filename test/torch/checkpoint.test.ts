import { writeFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readCheckpoint } from "../../tasks/study/torch/checkpoint.ts";
import type { NdArray } from "../../tasks/study/torch/numpy.ts";
import type { Pickled } from "../../tasks/study/torch/values.ts";
import type { Tensor } from "../../tasks/study/torch/tensor.ts";
import { readNpz } from "../helpers/npz.ts";
import { shared } from "../helpers/shared.ts";
import { testFolder } from "../helpers/folder.ts";

const get = (value: Pickled | undefined, key: Pickled) => (value as Map<Pickled, Pickled>).get(key);

const sam = shared("golden/07_sam_medsam");
test.skipIf(!sam)("a torch zip: every tensor has the bits of the same array in an npz", async () => {
  const state = (await readCheckpoint(`${sam}/tiny_sam.pth`)) as Map<string, Tensor>;
  const arrays = await readNpz(`${sam}/tiny_sam_weights.npz`);
  expect(state.size).toBe(202);
  for (const [name, { shape, data }] of arrays) {
    const tensor = state.get(name)!;
    expect(tensor.shape).toEqual(shape);
    expect(await tensor.read()).toEqual(data);
  }
});

const v2 = shared("golden/04_nnunet_v2");
test.skipIf(!v2)("an nnU-Net v2 checkpoint with numpy scalars and torch.device", async () => {
  const checkpoint = await readCheckpoint(
    `${v2}/m1/Dataset901_ToyIso/nnUNetTrainer__nnUNetPlans__3d_fullres/fold_0/checkpoint_final.pth`,
  );
  expect(get(checkpoint, "trainer_name")).toBe("nnUNetTrainer");
  expect(get(checkpoint, "inference_allowed_mirroring_axes")).toEqual([0, 1, 2]);
  expect(get(get(checkpoint, "init_args"), "configuration")).toBe("3d_fullres");
  expect(get(checkpoint, "network_weights")).toHaveProperty("size", 188);
});

const v1 = shared("golden/08_nnunet_v1_stunet");
test.skipIf(!v1)("plain pickles of nnU-Net v1 with numpy arrays", async () => {
  const folder = `${v1}/a_stunet_small/Task101_Toy/STUNetTrainer_small__nnUNetPlansv2.1`;
  const plans = await readCheckpoint(`${folder}/plans.pkl`);
  const stage = get(get(plans, "plans_per_stage"), 0);
  expect((get(stage, "current_spacing") as NdArray).toList()).toEqual([3.4, 3.1, 3]);
  const beside = await readCheckpoint(`${folder}/fold_0/small_ep4k.model.pkl`);
  expect(get(beside, "name")).toBe("STUNetTrainer_small");
});

/** Builds a pickle by hand from bytes and text. */
const text = (s: string) => Buffer.concat([Buffer.from([0x8c, Buffer.byteLength(s)]), Buffer.from(s)]);
const pickle = (...parts: (string | Buffer | number[])[]) =>
  Buffer.concat(
    parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : Buffer.from(part))),
  );

async function load(bytes: Buffer): Promise<Pickled> {
  const path = join(testFolder(), "file.pkl");
  writeFileSync(path, bytes);
  return readCheckpoint(path);
}

test("protocol 0 text and protocol 4 memo give plain data", async () => {
  expect(await load(pickle("(dp0\nS'a'\np1\nI01\nsVb\\u00e9\nF1.5\ns."))).toEqual(
    new Map<Pickled, Pickled>([
      ["a", true],
      ["bé", 1.5],
    ]),
  );
  expect(
    await load(pickle([0x80, 4, 0x95, 0, 0, 0, 0, 0, 0, 0, 0], "]", [0x94], "(", "K\x05", "h\0", "e.")),
  ).toSatisfy((list: Pickled[]) => list[0] === 5 && list[1] === list);
  expect(await load(pickle([0x80, 2, 0x8a, 2, 0xff, 0xff], "."))).toBe(-1);
});

test("a pickle that would run a command becomes an inert node and runs nothing", async () => {
  const marker = join(testFolder(), "ran");
  const value = await load(pickle("cos\nsystem\n(", text(`touch ${marker}`), "tR."));
  expect(value).toMatchObject({ of: { module: "os", name: "system" }, args: [`touch ${marker}`] });
  expect(readdirSync(join(marker, ".."))).toEqual([]);
  for (const hostile of [
    "c__builtin__\neval\n(S'1+1'\ntR.",
    "(S'x'\nios\nsystem\n.",
    "cbuiltins\nexec\n(S'1'\no.",
  ]) {
    const result = await load(pickle(hostile)).catch((error: unknown) => error);
    expect(result).toBeInstanceOf(Object);
    expect(result).not.toBe(2);
  }
});

test("__proto__ is an ordinary key", async () => {
  const value = await load(pickle("}", text("__proto__"), "}", text("polluted"), "K\x01ss."));
  expect(get(get(value, "__proto__"), "polluted")).toBe(1);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});

test.each([
  [
    "announces more bytes than there are",
    pickle([0x80, 4, 0x8e, 255, 255, 255, 255, 255, 0, 0, 0]),
    /are expected/,
  ],
  ["does not end", pickle("}"), /data end/],
  ["takes from an empty stack", pickle("R."), /nothing to take/],
  ["reads an empty memo", pickle("h\x07."), /memo 7 is empty/],
  ["asks for the extension registry", pickle("\x82\x01."), /no pickle opcode/],
  ["asks for outside buffers", pickle([0x80, 5, 0x97], "."), /no pickle opcode/],
  ["writes a huge integer", pickle("L" + "9".repeat(5000) + "L\n."), /not an integer/],
  ["closes a mark that is not there", pickle("t."), /no mark/],
  ["is of a later protocol", pickle([0x80, 9], "N."), /protocol 9/],
  ["refers to a stored object", pickle("S'x'\nQ."), /no torch storage/],
  ["is empty", Buffer.alloc(0), /empty/],
  ["is a zip of nothing", pickle("PK\x05\x06" + "\0".repeat(18)), /without data.pkl/],
])("refused, naming the file: a pickle that %s", async (_, bytes, message) => {
  await expect(load(bytes)).rejects.toThrow(message);
  await expect(load(bytes)).rejects.toThrow("file.pkl");
});

/** A file in the format before torch 1.6: a view (`shape`, `strides`, `offset`) of a storage of eight floats. */
function legacy(offset: number, shape: number[], strides: number[], numel = 8): Buffer {
  const protocol = [0x80, 2];
  const ints = (values: number[]) => pickle("(", ...values.map((v) => [0x4b, v]), "t");
  const magic = [0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19];
  const id = pickle(
    "(",
    text("storage"),
    "ctorch\nFloatStorage\n",
    text("key"),
    text("cpu"),
    [0x4b, 8],
    "NtQ",
  );
  const object = pickle(
    "}",
    text("w"),
    "ctorch._utils\n_rebuild_tensor_v2\n(",
    id,
    [0x4b, offset],
    ints(shape),
    ints(strides),
    [0x89],
    "NtRs.",
  );
  const count = Buffer.alloc(8);
  count.writeBigInt64LE(BigInt(numel));
  const data = Buffer.from(Float32Array.from({ length: 8 }, (_, i) => i + 0.5).buffer);
  return pickle(
    [...protocol, ...magic], ".", [...protocol, 0x4d, 0xe9, 0x03], ".", protocol, "}.", protocol, object,
    protocol, "]", text("key"), "a.", count, data,
  ); // prettier-ignore
}

test("the torch format before 1.6; a transposed view at an offset", async () => {
  const value = await load(legacy(2, [3, 2], [1, 3]));
  const tensor = get(value, "w") as Tensor;
  expect([...(await tensor.read())]).toEqual([2.5, 5.5, 3.5, 6.5, 4.5, 7.5]);
});

test("a tensor beyond its storage is refused", async () => {
  await expect(load(legacy(3, [3, 2], [1, 3]))).rejects.toThrow("beyond its storage");
  await expect(load(legacy(0, [2], [1], 9))).rejects.toThrow("the length that the pickle gives");
});
