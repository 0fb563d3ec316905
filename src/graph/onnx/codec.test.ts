// The table of messages against onnx-buf's descriptors, and the codec against protobuf's own library, which judges both.
import {
  create,
  fromBinary,
  ScalarType,
  toBinary,
  type DescField,
  type DescMessage,
} from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  AttributeProto_AttributeType,
  AttributeProtoSchema,
  ModelProtoSchema,
  TensorProto_DataLocation,
  TensorProto_DataType,
  TensorProtoSchema,
  TypeProtoSchema,
} from "onnx-buf";
import { describe, expect, it } from "vitest";
import { cases } from "../cases/index.js";
import { sample } from "../cases/sample.js";
import { GraphError } from "../error.js";
import { program } from "../program.js";
import { decode, encode } from "./codec.js";
import {
  attributeTypeName,
  AttributeType,
  dataTypeName,
  EXTERNAL,
  ModelSchema,
  schemaOf,
  TensorSchema,
  TypeSchema,
  AttributeSchema,
  type MessageName,
} from "./messages.js";

const NESTING = 40;

function nameOf({ typeName }: DescMessage): MessageName {
  return typeName.replace("onnx.", "") as MessageName;
}

describe("the table of messages", () => {
  it("is what onnx-buf's descriptors say", () => {
    const seen = new Set<DescMessage>();
    const visit = (desc: DescMessage): void => {
      if (seen.has(desc)) return;
      seen.add(desc);
      const own = schemaOf(nameOf(desc)).fields;
      const theirs = desc.fields.toSorted((a, b) => a.number - b.number).map(spelled);
      expect(own).toEqual(theirs);
      for (const { message } of desc.fields) if (message) visit(message);
    };
    visit(ModelProtoSchema);
    expect(seen.size).toBeGreaterThan(20);
  });

  it("knows the numbers of kinds", () => {
    for (const [name, number] of Object.entries(AttributeType))
      expect(AttributeProto_AttributeType[number]).toBe(name);
    for (let i = 0; i < 15; i++) expect(attributeTypeName(i)).toBe(AttributeProto_AttributeType[i]);
    for (let i = 0; i < 27; i++) expect(dataTypeName(i)).toBe(TensorProto_DataType[i]);
    expect(EXTERNAL).toBe(TensorProto_DataLocation.EXTERNAL);
  });
});

function spelled(field: DescField): object {
  const { number, localName, message, oneof, fieldKind } = field;
  const scalar = field.scalar === undefined ? "int32" : ScalarType[field.scalar].toLowerCase();
  return {
    number,
    name: localName,
    choice: oneof?.localName,
    scalar: message ? undefined : scalar,
    message: message && nameOf(message),
    repeated: fieldKind === "list",
    packed: fieldKind === "list" && field.packed,
  };
}

const anyFloat = fc.float({ noNaN: true });
const int64 = fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
const int32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Uint8Array.from(array));
const maybe = <T extends object>(all: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<Partial<T>> =>
  fc.record(all, { requiredKeys: [] }) as fc.Arbitrary<Partial<T>>;

describe("the codec", () => {
  it("reads and writes tensors as protobuf's library does", () => {
    const init = maybe({
      dims: fc.array(int64),
      dataType: int32,
      floatData: fc.array(anyFloat),
      int32Data: fc.array(int32),
      int64Data: fc.array(int64),
      uint64Data: fc.array(fc.bigInt({ min: 0n, max: 2n ** 64n - 1n })),
      doubleData: fc.array(fc.double({ noNaN: true })),
      stringData: fc.array(bytes),
      rawData: bytes,
      name: fc.string({ unit: "grapheme" }),
      dataLocation: fc.constantFrom(0, 1),
    });
    fc.assert(
      fc.property(init, (fields) => {
        const theirs = toBinary(TensorProtoSchema, create(TensorProtoSchema, fields));
        const read = decode(TensorSchema, theirs, NESTING);
        expect({ ...read }).toMatchObject(fields);
        expect(encode(TensorSchema, read)).toEqual(theirs);
      }),
    );
  });

  it("reads and writes attributes and choices as protobuf's library does", () => {
    const init = maybe({
      f: anyFloat,
      i: int64,
      floats: fc.array(anyFloat),
      ints: fc.array(int64),
      s: bytes,
    });
    fc.assert(
      fc.property(init, fc.boolean(), int64, (fields, chosen, value) => {
        const attribute = toBinary(AttributeProtoSchema, create(AttributeProtoSchema, fields));
        expect(encode(AttributeSchema, decode(AttributeSchema, attribute, NESTING))).toEqual(attribute);
        const dim = [
          {
            value: chosen ? { case: "dimValue" as const, value } : { case: "dimParam" as const, value: "n" },
          },
          {},
        ];
        const type = toBinary(
          TypeProtoSchema,
          create(TypeProtoSchema, { value: { case: "tensorType", value: { elemType: 1, shape: { dim } } } }),
        );
        const read = decode(TypeSchema, type, NESTING);
        expect(read.value.case).toBe("tensorType");
        expect(encode(TypeSchema, read)).toEqual(type);
      }),
    );
  });

  it("writes every row's programs so that protobuf's library writes the same", () => {
    for (const [name, [first]] of Object.entries(cases)) {
      const model = tryModel(() => sample(first!, "float32").outputs);
      if (!model) continue;
      expect(toBinary(ModelProtoSchema, fromBinary(ModelProtoSchema, model)), name).toEqual(model);
      expect(encode(ModelSchema, decode(ModelSchema, model, NESTING)), name).toEqual(model);
    }
  });

  it("refuses what it refuses with an error, whatever the bytes", () => {
    const model = tryModel(() => sample(cases.softmax![0]!, "float32").outputs)!;
    fc.assert(
      fc.property(fc.nat(model.length - 1), fc.nat(255), fc.nat(model.length), (at, value, length) => {
        const changed = model.slice(0, length);
        if (at < length) changed[at] = value;
        const own = outcome(() => encode(ModelSchema, decode(ModelSchema, changed, NESTING)));
        if (own === undefined) return;
        // What we read, the library reads too, and as the same message.
        expect(own).toEqual(outcome(() => toBinary(ModelProtoSchema, fromBinary(ModelProtoSchema, own))));
      }),
      { numRuns: 2000 },
    );
  });
});

function outcome(run: () => Uint8Array): Uint8Array | undefined {
  try {
    return run();
  } catch {
    return undefined;
  }
}

function tryModel(
  outputs: () => readonly Parameters<typeof program>[0]["outputs"][string][],
): Uint8Array | undefined {
  try {
    return program({ outputs: Object.fromEntries(outputs().map((y, i) => [`y${i}`, y])) }).model;
  } catch (error) {
    if (error instanceof GraphError) return undefined;
    throw error;
  }
}
