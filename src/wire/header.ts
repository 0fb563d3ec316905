// What a frame's header may be, checked before it is decoded: a decoder believes the counts it reads and allocates by them,
// so that a kilobyte of lies could cost gigabytes. One pass over the bytes, nothing allocated.
import { FlockworkError } from "../ids/index.js";

/** Most values (keys, strings, numbers, lists, ...) one header may hold. */
export const MAX_VALUES = 1 << 21;
/** Deepest nesting of lists and maps; the messages need six. */
export const MAX_DEPTH = 16;
/** The one extension format in use: four bytes of data. */
const FIXEXT_4 = 0xd6;

/**
 * Throws `bad_message` unless `header` is one msgpack value made of nil, booleans, numbers, strings, lists, maps and attachments
 * (fixext 4, types 1 to `attachmentTypes`), within the limits.
 */
export function checkHeader(header: Uint8Array, attachmentTypes: number): void {
  const end = header.length;
  const open: number[] = [];
  let left = 1;
  let values = 0;
  let at = 0;
  for (;;) {
    while (left === 0) {
      if (open.length === 0) {
        if (at !== end) throw bad(`${end - at} bytes after its end`);
        return;
      }
      left = open.pop()!;
    }
    left--;
    if (at >= end) throw bad("its end is missing");
    if (++values > MAX_VALUES) throw bad(`more than ${MAX_VALUES} values`);
    const byte = header[at++]!;
    if (byte < 0x80 || byte >= 0xe0) continue;
    let items = 0;
    if (byte < 0x90) items = 2 * (byte & 15);
    else if (byte < 0xa0) items = byte & 15;
    else if (byte < 0xc0) at += byte & 31;
    else if (byte === FIXEXT_4) {
      const type = header[at] ?? 0;
      if (type < 1 || type > attachmentTypes) throw bad(`extension type ${type}`);
      at += 5;
    } else if (byte >= 0xd9 && byte <= 0xdb) {
      const width = 1 << (byte - 0xd9);
      at += width + bigEndian(header, at, width);
    } else if (byte >= 0xdc) {
      const width = byte & 1 ? 4 : 2;
      items = (byte >= 0xde ? 2 : 1) * bigEndian(header, at, width);
      at += width;
    } else {
      const size = SCALARS[byte - 0xc0]!;
      if (size < 0) throw bad(`msgpack format 0x${byte.toString(16)}, which no message uses`);
      at += size;
    }
    if (at > end) throw bad("its end is missing");
    if (items === 0) continue;
    // Every item takes a byte at least.
    if (items > end - at) throw bad(`a list of ${items} items in ${end - at} bytes`);
    if (open.length === MAX_DEPTH) throw bad(`lists nested deeper than ${MAX_DEPTH}`);
    open.push(left);
    left = items;
  }
}

/** Bytes after formats 0xc0 to 0xd8: nil, booleans and numbers; the others are not used. */
const SCALARS = [0, -1, 0, 0, -1, -1, -1, -1, -1, -1, 4, 8, 1, 2, 4, 8, 1, 2, 4, 8, -1, -1, -1, -1, -1];

function bigEndian(bytes: Uint8Array, at: number, width: number): number {
  let number = 0;
  for (let i = 0; i < width; i++) number = number * 256 + (bytes[at + i] ?? 0);
  return number;
}

function bad(what: string): FlockworkError {
  return new FlockworkError("bad_message", `Not a Flockwork frame: a header with ${what}.`);
}
