// What the bytes of a message would become when they are decoded, found without decoding them: a few bytes of a file can be many objects.
import { GraphError } from "../error.js";
import { schemaOf, type Field, type Schema } from "../onnx/messages.js";
import { DELIMITED, WireReader } from "../onnx/wire.js";

/** Bytes of memory, about: an object with its fields, a bigint or number in a list. Raw bytes stay where they are in the file. */
const OBJECT = 400;
const ELEMENT = 32;

/** Messages inside each other at most, as in the decoder. */
const NESTING = 40;

/** The bytes of memory that decoding takes, about. Throws a GraphError past `limit`, on fields that are not known, and on bytes that are no message. */
export function weigh(bytes: Uint8Array, message: Schema<unknown>, limit: number): number {
  let total = 0;
  const add = (more: number): void => {
    total += more;
    if (total > limit)
      throw new GraphError(
        `the model's ${bytes.length} bytes become more than that in memory; the limit "decoded" is ${limit}`,
        "limit",
      );
  };
  const walk = (reader: WireReader, schema: Schema<unknown>, depth: number): void => {
    if (depth > NESTING)
      throw new GraphError(`the model nests its messages more than ${NESTING} deep`, "limit");
    add(OBJECT);
    while (reader.at < reader.end) {
      const [number, wire] = reader.tag();
      const field = schema.byNumber.get(number);
      if (!field) throw new GraphError(`${schema.name} has a field ${number} that is not known`, "bad_model");
      if (wire !== DELIMITED) {
        add(ELEMENT);
        reader.skip(wire);
      } else if (field.message) walk(reader.inner(), schemaOf(field.message), depth + 1);
      else add(weightOf(field, reader.delimited().length));
    }
  };
  try {
    walk(new WireReader(bytes), message, 1);
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
function weightOf({ scalar }: Field, length: number): number {
  if (scalar === "bytes") return ELEMENT;
  return scalar === "string" ? ELEMENT + length : ELEMENT * length;
}
