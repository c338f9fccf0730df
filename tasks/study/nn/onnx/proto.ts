/**
 * ONNX model files as plain objects: the part of onnx.proto (ONNX IR, github.com/onnx/onnx) that lq writes and reads.
 */
import protobuf from "protobufjs/light.js";

export interface ModelProto {
  irVersion: number;
  opsetImport: { domain: string; version: number }[];
  producerName: string;
  graph: GraphProto;
  metadataProps: { key: string; value: string }[];
}

export interface GraphProto {
  name: string;
  node: NodeProto[];
  initializer: TensorProto[];
  input: ValueInfoProto[];
  output: ValueInfoProto[];
}

export interface NodeProto {
  name: string;
  opType: string;
  domain: string;
  input: string[];
  output: string[];
  attribute: AttributeProto[];
}

export interface AttributeProto {
  name: string;
  type: number;
  f?: number;
  i?: number;
  s?: Uint8Array;
  ints?: number[];
}

export interface TensorProto {
  name: string;
  dims: number[];
  dataType: number;
  rawData?: Uint8Array;
  /** Place of the values in another file: `location`, `offset`, `length`; dataLocation is then 1. */
  externalData?: { key: string; value: string }[];
  dataLocation?: number;
}

export interface ValueInfoProto {
  name: string;
  type: {
    tensorType: { elemType: number; shape: { dim: { dimValue?: number; dimParam?: string }[] } };
  };
}

/** TensorProto.DataType. */
export const dataTypes = { float32: 1, uint8: 2, int32: 6, int64: 7 } as const;
export type DataType = keyof typeof dataTypes;

/** AttributeProto.AttributeType. */
export const attributeTypes = { float: 1, int: 2, string: 3, ints: 7 } as const;

type Field = [name: string, id: number, type: string, repeated?: "repeated"];

const messages: Record<string, Field[]> = {
  ModelProto: [
    ["irVersion", 1, "int64"],
    ["producerName", 2, "string"],
    ["graph", 7, "GraphProto"],
    ["opsetImport", 8, "OperatorSetIdProto", "repeated"],
    ["metadataProps", 14, "StringStringEntryProto", "repeated"],
  ],
  OperatorSetIdProto: [
    ["domain", 1, "string"],
    ["version", 2, "int64"],
  ],
  StringStringEntryProto: [
    ["key", 1, "string"],
    ["value", 2, "string"],
  ],
  GraphProto: [
    ["node", 1, "NodeProto", "repeated"],
    ["name", 2, "string"],
    ["initializer", 5, "TensorProto", "repeated"],
    ["input", 11, "ValueInfoProto", "repeated"],
    ["output", 12, "ValueInfoProto", "repeated"],
  ],
  NodeProto: [
    ["input", 1, "string", "repeated"],
    ["output", 2, "string", "repeated"],
    ["name", 3, "string"],
    ["opType", 4, "string"],
    ["attribute", 5, "AttributeProto", "repeated"],
    ["domain", 7, "string"],
  ],
  AttributeProto: [
    ["name", 1, "string"],
    ["f", 2, "float"],
    ["i", 3, "int64"],
    ["s", 4, "bytes"],
    ["t", 5, "TensorProto"],
    ["ints", 8, "int64", "repeated"],
    ["type", 20, "int32"],
  ],
  TensorProto: [
    ["dims", 1, "int64", "repeated"],
    ["dataType", 2, "int32"],
    ["name", 8, "string"],
    ["rawData", 9, "bytes"],
    ["externalData", 13, "StringStringEntryProto", "repeated"],
    ["dataLocation", 14, "int32"],
  ],
  ValueInfoProto: [
    ["name", 1, "string"],
    ["type", 2, "TypeProto"],
  ],
  TypeProto: [["tensorType", 1, "TensorTypeProto"]],
  TensorTypeProto: [
    ["elemType", 1, "int32"],
    ["shape", 2, "TensorShapeProto"],
  ],
  TensorShapeProto: [["dim", 1, "DimensionProto", "repeated"]],
  DimensionProto: [
    ["dimValue", 1, "int64"],
    ["dimParam", 2, "string"],
  ],
};

const root = new protobuf.Root();
for (const [name, fields] of Object.entries(messages)) {
  const type = new protobuf.Type(name);
  for (const [field, id, fieldType, rule] of fields) type.add(new protobuf.Field(field, id, fieldType, rule));
  root.add(type);
}
const Model = root.lookupType("ModelProto");

/** The bytes of the .onnx file. */
export function encodeModel(model: ModelProto): Uint8Array {
  return Model.encode(Model.fromObject(model)).finish();
}

/** A model that lq has written. Throws an Error if the bytes are not protobuf. */
export function decodeModel(bytes: Uint8Array): ModelProto {
  return Model.toObject(Model.decode(bytes), { longs: Number, arrays: true }) as ModelProto;
}
