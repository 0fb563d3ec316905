// What the bytes of a message would become when they are decoded, found without decoding them: a few bytes of a file can be many objects.
import { ScalarType, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { GraphError } from "../error.js";

/** Bytes of memory, about: an object with its fields, a bigint or number in a list. Raw bytes stay where they are in the file. */
const OBJECT = 400;
const ELEMENT = 32;

/** Messages inside each other at most, as in the decoder. */
const NESTING = 40;

/** The bytes of memory that decoding takes, about. Throws a GraphError past `limit`, on fields that are not known, and on bytes that are no message. */
export function weigh(bytes: Uint8Array, message: DescMessage, limit: number): number {
  let total = 0;
  const add = (more: number): void => {
    total += more;
    if (total > limit)
      throw new GraphError(
        `the model's ${bytes.length} bytes become more than that in memory; the limit "decoded" is ${limit}`,
        "limit",
      );
  };
  const walk = (reader: BinaryReader, end: number, desc: DescMessage, depth: number): void => {
    if (depth > NESTING)
      throw new GraphError(`the model nests its messages more than ${NESTING} deep`, "limit");
    add(OBJECT);
    while (reader.pos < end) {
      const [number, wire] = reader.tag();
      const field = fieldsOf(desc).get(number);
      if (!field) throw new GraphError(`${desc.name} has a field ${number} that is not known`, "bad_model");
      if (wire !== WireType.LengthDelimited) {
        add(ELEMENT);
        reader.skip(wire, number, NESTING);
        continue;
      }
      const length = reader.uint32();
      const start = reader.pos;
      if (start + length > end)
        throw new GraphError(`${desc.name}.${field.name} runs past its end`, "bad_model");
      if (field.message) walk(reader, start + length, field.message, depth + 1);
      else add(weightOf(field, length));
      reader.pos = start + length;
    }
  };
  try {
    walk(new BinaryReader(bytes), bytes.length, message, 1);
  } catch (cause) {
    if (cause instanceof GraphError) throw cause;
    throw new GraphError(
      `${bytes.length} bytes are not an ONNX model: ${cause instanceof Error ? cause.message : String(cause)}`,
      "bad_model",
      { cause },
    );
  }
  return total;
}

/** Of packed numbers each byte may be one. */
function weightOf(field: DescField, length: number): number {
  if (field.scalar === ScalarType.BYTES) return ELEMENT;
  return field.scalar === ScalarType.STRING ? ELEMENT + length : ELEMENT * length;
}

const fields = new WeakMap<DescMessage, ReadonlyMap<number, DescField>>();

function fieldsOf(desc: DescMessage): ReadonlyMap<number, DescField> {
  const known = fields.get(desc) ?? new Map(desc.fields.map((field) => [field.number, field]));
  fields.set(desc, known);
  return known;
}
