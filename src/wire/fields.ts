// What messages are made of: the fields that several rows share.
import * as v from "valibot";
import { NAME_BYTES } from "../ids/index.js";

export const text = (max: number) => v.pipe(v.string(), v.maxLength(max));
export const name = v.pipe(v.string(), v.minLength(1), v.maxLength(4 * NAME_BYTES));
export const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
/** Typed arrays over whatever buffer a frame lies in. */
export const u8 = v.custom<Uint8Array>((value) => value instanceof Uint8Array, "is no bytes");
export const u16 = v.custom<Uint16Array>((value) => value instanceof Uint16Array, "is no column of u16");
export const u32 = v.custom<Uint32Array>((value) => value instanceof Uint32Array, "is no column of u32");
export const f32 = v.custom<Float32Array>((value) => value instanceof Float32Array, "is no column of f32");
export const f64 = v.custom<Float64Array>((value) => value instanceof Float64Array, "is no column of f64");
export const payloads = {
  kinds: u8,
  lengths: u32,
  data: u8,
};
/** Task numbers and their attempts, in two columns of equal length. */
export const attempts = { tasks: f64, attempts: u16 };
/** A set of sequence numbers as [start, count, start, count, ...]. */
export const runs = { runs: f64 };

/** Names one stream of bytes on its way: 16 bytes in hexadecimal, chosen by whoever uploads or fetches. */
export const streamId = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, "is no stream id"));
