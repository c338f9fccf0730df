import { expect, test } from "vitest";
import { type Checkpoint, decodeCheckpoint, encodeCheckpoint } from "../../tasks/study/nn/checkpoint.ts";
import { initialise } from "../../tasks/study/nn/parameters.ts";
import { decodeSafetensors, encodeSafetensors } from "../../tasks/study/nn/safetensors.ts";
import { smallNetwork } from "./small-network.ts";

const file = {
  tensors: new Map([
    ["a", { shape: [2, 2], data: Float32Array.of(1, 2, 3, 4) }],
    ["empty", { shape: [0], data: new Uint8Array(0) }],
    ["b", { shape: [1], data: BigInt64Array.of(-5n) }],
    ["scalar", { shape: [], data: Float64Array.of(0.1) }],
  ]),
  metadata: new Map([["note", "käse"]]),
};

test("a decoded file equals what was encoded and encodes to the same bytes", () => {
  const bytes = encodeSafetensors(file);
  expect(decodeSafetensors(bytes)).toEqual(file);
  expect(decodeSafetensors(Buffer.from(bytes))).toEqual(file);
  expect(encodeSafetensors(decodeSafetensors(bytes))).toEqual(bytes);
  expect((8 + Number(new DataView(bytes.buffer).getBigUint64(0, true))) % 8).toBe(0);
});

function raw(header: unknown, body = 16): Uint8Array {
  const text = new TextEncoder().encode(typeof header === "string" ? header : JSON.stringify(header));
  const bytes = new Uint8Array(8 + text.length + body);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(text.length), true);
  bytes.set(text, 8);
  return bytes;
}

const entry = (start: number, end: number, shape = [(end - start) / 4], dtype = "F32") => ({
  dtype,
  shape,
  data_offsets: [start, end],
});

test.each([
  ["too short", new Uint8Array(4), /shorter than its length field/],
  ["a header beyond the file", raw({}, 0).fill(0xff, 0, 7), /the header claims/],
  ["a header that is not JSON", raw("{"), /not JSON/],
  ["a header that is a list", raw([]), /not a map/],
  ["an unknown type", raw({ a: entry(0, 16, [4], "constructor") }), /a: unknown type/],
  ["offsets beyond the end of the file", raw({ a: entry(0, 400) }), /does not fit/],
  ["a shape that does not fit its bytes", raw({ a: entry(0, 16, [5]) }), /does not fit/],
  ["a negative size", raw({ a: entry(0, 16, [-4]) }), /not a list of sizes/],
  ["an overlap", raw({ a: entry(0, 16), b: entry(8, 16) }), /overlap/],
  ["a gap between tensors", raw({ a: entry(0, 4), b: entry(8, 16) }), /gap/],
  ["unused bytes at the end", raw({ a: entry(0, 8) }), /unused bytes/],
  ["metadata that is not text", raw({ __metadata__: { a: 1 } }, 0), /metadata a is not a string/],
])("%s is refused", (_, bytes, message) => {
  expect(() => decodeSafetensors(bytes)).toThrow(message);
});

const spec = smallNetwork([2, 3, 4], { outChannels: 2, heads: 1, residual: true, transposedBias: true });

const checkpoint: Checkpoint = {
  spec,
  weights: initialise(spec, 1),
  moments: { first: initialise(spec, 2), second: initialise(spec, 3) },
  step: 7,
  seed: "study",
  patch: [2, 8, 8],
  spacing: [1.5, 1.5, 3],
  normalisation: { clip: [-160, 240], mean: 40, std: 100 },
  labels: { liver: 1 },
  outcome: "not-converged",
  criterion: "the loss is not finite",
  losses: [1.5, null],
};

test("a decoded checkpoint equals what was encoded; the order of its keys does not matter", () => {
  const bytes = encodeCheckpoint(checkpoint);
  expect(decodeCheckpoint(bytes)).toEqual(checkpoint);
  const reversed = Object.fromEntries(Object.entries(checkpoint).reverse()) as unknown as Checkpoint;
  expect(encodeCheckpoint(reversed)).toEqual(bytes);
  expect(decodeCheckpoint(encodeCheckpoint({ ...checkpoint, moments: null })).moments).toBeNull();
});

test("a file that is not a checkpoint or lacks a tensor is refused", () => {
  expect(() => decodeCheckpoint(encodeSafetensors(file))).toThrow(/no entry `lq`/);
  const { tensors, metadata } = decodeSafetensors(encodeCheckpoint(checkpoint));
  const fewer = new Map(tensors);
  fewer.delete("bottleneck.conv1.conv.weight");
  expect(() => decodeCheckpoint(encodeSafetensors({ tensors: fewer, metadata }))).toThrow(
    /bottleneck\.conv1\.conv\.weight is missing/,
  );
});
