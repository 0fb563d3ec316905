// ONNX's messages made, and to and from bytes, by the table of messages.ts. The same bytes as protobuf's own library writes.
import { schemaOf, type Field, type Scalar, type Schema } from "./messages.js";
import { DELIMITED, FIXED32, FIXED64, VARINT, WireReader, WireWriter } from "./wire.js";

type Raw = Record<string, unknown>;
interface Choice {
  readonly case: string | undefined;
  readonly value?: unknown;
}

/** What a message can be made of. */
export type Init<T> = { readonly [K in keyof T as K extends `$${string}` ? never : K]?: T[K] };

const WIRE: Readonly<Record<Scalar, number>> = {
  string: DELIMITED,
  bytes: DELIMITED,
  int32: VARINT,
  int64: VARINT,
  uint64: VARINT,
  float: FIXED32,
  double: FIXED64,
};

/** A message. What `init` has not is absent: it reads as zero or empty, and is not written. */
export function create<T>(schema: Schema<T>, init: Init<T> = {}): T {
  const message = Object.create(schema.absent) as Raw;
  for (const { name, repeated } of schema.fields) if (repeated) message[name] = [];
  return Object.assign(message, init) as T;
}

export function encode<T extends object>(schema: Schema<T>, message: T): Uint8Array<ArrayBuffer> {
  const writer = new WireWriter();
  write(writer, schema, message as Raw);
  return writer.finish();
}

/** Throws where the bytes are no such message, or where messages are nested more than `nesting` deep. */
export function decode<T>(schema: Schema<T>, bytes: Uint8Array, nesting: number): T {
  return read(new WireReader(bytes), schema, create(schema) as Raw, nesting) as T;
}

function write(writer: WireWriter, { fields }: Schema<unknown>, message: Raw): void {
  for (const field of fields.toReversed()) {
    const value = valueOf(field, message);
    if (value === undefined) continue;
    if (!field.repeated) writeOne(writer, field, value);
    else if (!field.packed)
      for (const each of (value as unknown[]).toReversed()) writeOne(writer, field, each);
    else if ((value as unknown[]).length > 0) {
      const before = writer.size;
      for (const each of (value as unknown[]).toReversed()) writeScalar(writer, field.scalar!, each);
      writer.varint(writer.size - before);
      writer.tag(field.number, DELIMITED);
    }
  }
}

function valueOf({ name, choice }: Field, message: Raw): unknown {
  if (choice === undefined) return Object.hasOwn(message, name) ? message[name] : undefined;
  const chosen = message[choice] as Choice;
  return chosen.case === name ? chosen.value : undefined;
}

function writeOne(writer: WireWriter, { number, scalar, message }: Field, value: unknown): void {
  const before = writer.size;
  if (scalar) writeScalar(writer, scalar, value);
  else write(writer, schemaOf(message!), value as Raw);
  const wire = scalar ? WIRE[scalar] : DELIMITED;
  if (wire === DELIMITED) writer.varint(writer.size - before);
  writer.tag(number, wire);
}

function writeScalar(writer: WireWriter, scalar: Scalar, value: unknown): void {
  switch (scalar) {
    case "string":
      return writer.string(value as string);
    case "bytes":
      return writer.raw(value as Uint8Array);
    case "int32":
      return writer.int64(BigInt(value as number));
    case "int64":
    case "uint64":
      return writer.int64(value as bigint);
    case "float":
      return writer.float(value as number);
    case "double":
      return writer.double(value as number);
    default:
      return scalar satisfies never;
  }
}

function read(reader: WireReader, schema: Schema<unknown>, into: Raw, nesting: number): Raw {
  if (nesting <= 0) throw new RangeError("messages are nested too deep");
  while (reader.at < reader.end) {
    const [number, wire] = reader.tag();
    const field = schema.byNumber.get(number);
    if (!field) {
      reader.skip(wire);
      continue;
    }
    const { name, scalar, message, repeated } = field;
    const expected = scalar ? WIRE[scalar] : DELIMITED;
    if (scalar && repeated && wire === DELIMITED && expected !== DELIMITED) {
      // Packed or not, both are read whatever the table says.
      const packed = reader.inner();
      const list = into[name] as unknown[];
      while (packed.at < packed.end) list.push(readScalar(packed, scalar));
      continue;
    }
    if (wire !== expected) throw new RangeError(`${schema.name}.${name} has the wire type ${wire}`);
    if (scalar) put(into, field, readScalar(reader, scalar));
    else {
      // A message that comes twice is one, merged.
      const before = repeated ? undefined : (valueOf(field, into) as Raw | undefined);
      const inner = schemaOf(message!);
      put(into, field, read(reader.inner(), inner, before ?? (create(inner) as Raw), nesting - 1));
    }
  }
  return into;
}

function put(into: Raw, { name, choice, repeated }: Field, value: unknown): void {
  if (repeated) (into[name] as unknown[]).push(value);
  else if (choice === undefined) into[name] = value;
  else into[choice] = { case: name, value };
}

function readScalar(reader: WireReader, scalar: Scalar): unknown {
  return scalar === "bytes" ? reader.delimited() : reader[scalar]();
}
