// The laws of frames: what goes in comes out, wherever the bytes lie; any other bytes give `bad_message` and cost little.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FlockworkError } from "../ids/index.js";
import {
  align,
  decodeFrame,
  encodeAlone,
  encodeFrame,
  encodeFrameParts,
  lyingIn,
  MAX_MESSAGES,
} from "./frame.js";
import { MAX_DEPTH } from "./header.js";
import { checkMessage, MESSAGES, type Role } from "./messages.js";

const RUNS = Number(process.env["FUZZ_RUNS"] ?? 300);
const typedArray = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.uint16Array({ maxLength: 20 }),
  fc.uint32Array({ maxLength: 20 }),
  fc.int32Array({ maxLength: 20 }),
  fc.float32Array({ maxLength: 20 }),
  fc.float64Array({ maxLength: 20 }),
  fc.bigInt64Array({ maxLength: 20 }),
);
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { depthSize: "small", maxDepth: 4 },
    fc.constant(null),
    fc.boolean(),
    fc.maxSafeInteger(),
    // msgpack writes whole numbers as integers, which know no -0; typed arrays keep it.
    fc.double().filter((x) => !Object.is(x, -0)),
    fc.string({ unit: "binary" }),
    typedArray,
    fc.array(tie("any"), { maxLength: 5 }),
    fc.dictionary(
      fc.string().filter((key) => key !== "__proto__"),
      tie("any"),
      { maxKeys: 5, noNullPrototype: true },
    ),
  ),
})).any;
const messages = fc.array(value, { maxLength: 6 });

/** `bytes` at `offset` in a larger buffer, as sockets hand them out: as Uint8Array or as Node's Buffer. */
function placed(bytes: Uint8Array, offset: number, buffer: boolean): Uint8Array {
  const memory = new ArrayBuffer(bytes.length + 24);
  const place = new Uint8Array(memory, offset, bytes.length);
  place.set(bytes);
  return buffer ? Buffer.from(memory, offset, bytes.length) : place;
}

/** Decodes and checks as every role; only the errors meant for it may come out. */
function swallow(bytes: Uint8Array): void {
  let decoded: unknown[];
  try {
    decoded = decodeFrame(bytes);
  } catch (error) {
    expectBad(error);
    return;
  }
  for (const message of decoded)
    for (const role of ["client", "node", "beat", "hub"] satisfies Role[])
      try {
        checkMessage(message, role);
      } catch (error) {
        expectBad(error);
      }
}

function expectBad(error: unknown): void {
  if (!(error instanceof FlockworkError) || !["bad_message", "version_mismatch"].includes(error.code))
    throw error;
  expect(error.message.length).toBeLessThan(1000);
}

/** A frame with this header and nothing else. */
function withHeader(header: Uint8Array | number[], length = header.length): Uint8Array {
  const frame = new Uint8Array(align(4 + header.length));
  new DataView(frame.buffer).setUint32(0, length, true);
  frame.set(header, 4);
  return frame;
}

describe("a message lying in its frame", () => {
  const field = fc.oneof(
    typedArray,
    fc.string(),
    fc.maxSafeInteger(),
    fc.array(fc.string(), { maxLength: 3 }),
  );
  it("is what decoding the frame gives, without copies", () => {
    fc.assert(
      fc.property(
        fc.dictionary(
          fc.string().filter((key) => key !== "__proto__"),
          field,
          { maxKeys: 8, noNullPrototype: true },
        ),
        fc.boolean(),
        (message, buffers) => {
          if (buffers)
            for (const [key, part] of Object.entries(message))
              if (part instanceof Uint8Array) message[key] = Buffer.from(part);
          const frame = encodeFrame([message]);
          const lying = lyingIn(frame, message);
          expect(lying).toEqual(decodeFrame(frame)[0]);
          for (const part of Object.values(lying))
            if (ArrayBuffer.isView(part)) expect(part.buffer).toBe(frame.buffer);
        },
      ),
      { numRuns: RUNS },
    );
  });
});

describe("frames", () => {
  it("come back as they were, wherever the bytes lie", () => {
    fc.assert(
      fc.property(messages, fc.nat(16), fc.boolean(), (list, offset, buffer) => {
        const frame = placed(encodeFrame(list), offset, buffer);
        const decoded = decodeFrame(frame);
        expect(decoded).toEqual(list);
        expect(Buffer.concat(encodeFrameParts(list)).equals(Buffer.from(encodeFrame(list)))).toBe(true);
        // Attachments lie at multiples of 8: where the frame itself is aligned, none was copied.
        for (const item of decoded)
          if (ArrayBuffer.isView(item) && offset % 8 === 0) expect(item.buffer).toBe(frame.buffer);
      }),
      { numRuns: RUNS },
    );
  });

  it("come back from two parts, wherever they were cut", () => {
    fc.assert(
      fc.property(messages, fc.double({ min: 0, max: 1, noNaN: true }), (list, where) => {
        const frame = encodeFrame(list);
        const cut = Math.round(where * frame.length);
        expect(decodeFrame(frame.subarray(0, cut), frame.subarray(cut))).toEqual(list);
      }),
      { numRuns: RUNS },
    );
  });

  it("are refused in two parts as in one", () => {
    const frame = encodeFrame([{ a: new Uint8Array(20), b: new Float64Array(3) }]);
    const long = new Uint8Array([...frame, ...new Uint8Array(8)]);
    for (const wrong of [long, frame.subarray(0, -8), frame.subarray(0, 20)])
      for (let cut = 0; cut <= wrong.length; cut++)
        expect(() => decodeFrame(wrong.subarray(0, cut), wrong.subarray(cut))).toThrow(
          expect.objectContaining({ code: "bad_message" }),
        );
  });

  it("made alone leave a large last attachment where it is, and only that", () => {
    const data = new Uint8Array(20_000).fill(3);
    for (const message of [
      { n: 1, data },
      { data: data.subarray(8), n: 1 },
      { first: data, n: Float64Array.of(1), data },
    ]) {
      const { frame, tail } = encodeAlone(message);
      expect(tail?.buffer).toBe(data.buffer);
      expect(Buffer.concat([frame, tail!])).toEqual(Buffer.from(encodeFrame([message])));
      expect(decodeFrame(frame, tail)).toEqual([message]);
    }
    for (const message of [{ data, n: Uint8Array.of(1) }, { data: data.subarray(0, 100) }])
      expect(encodeAlone(message)).toEqual({ frame: encodeFrame([message]) });
  });

  it("carry every element type at every alignment", () => {
    const list = [
      Uint8Array.of(1, 255),
      Uint16Array.of(1, 65535),
      Uint32Array.of(1, 4294967295),
      Int32Array.of(-1, 2147483647),
      Float32Array.of(-0, NaN, 1.5),
      Float64Array.of(Number.MAX_VALUE, -Infinity),
      BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n),
      new Float64Array(0),
    ];
    const frame = encodeFrame(list);
    for (let offset = 0; offset < 16; offset++)
      for (const buffer of [false, true]) expect(decodeFrame(placed(frame, offset, buffer))).toEqual(list);
  });

  it("take a view of a larger array, and only it", () => {
    const whole = Float64Array.of(1, 2, 3, 4);
    expect(decodeFrame(encodeFrame([whole.subarray(1, 3)]))).toEqual([Float64Array.of(2, 3)]);
  });

  it("leave out what is undefined, which a schema would not take for absent", () => {
    const [message] = decodeFrame(encodeFrame([{ t: "beat", more: undefined }]));
    expect(message).toEqual({ t: "beat" });
    expect(Object.keys(message as object)).toEqual(["t"]);
  });

  it("keep nothing of a frame that could not be made", () => {
    expect(() => encodeFrame([{ a: Uint8Array.of(1), b: () => 0 }])).toThrow();
    expect(decodeFrame(encodeFrame([Uint8Array.of(2)]))).toEqual([Uint8Array.of(2)]);
  });

  it("answer any bytes with bad_message or messages, nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        swallow(bytes);
        swallow(withHeader(bytes));
      }),
      { numRuns: 4 * RUNS },
    );
  });

  it("answer damaged frames with bad_message or messages, nothing else", () => {
    const damage = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { minLength: 1, maxLength: 4 });
    fc.assert(
      fc.property(fc.oneof(messages, realMessages), damage, fc.nat(400), (list, changes, cut) => {
        const frame = encodeFrame(list);
        swallow(frame.subarray(0, Math.min(cut, frame.length)));
        for (const [at, byte] of changes) frame[at % frame.length] = byte;
        swallow(frame);
      }),
      { numRuns: 4 * RUNS },
    );
  });

  it("are refused when cut short or with more behind", () => {
    const frame = encodeFrame([{ t: "accepted", runs: Float64Array.of(1, 2) }]);
    for (let length = 0; length < frame.length; length++)
      expect(() => decodeFrame(frame.subarray(0, length)), `${length} bytes`).toThrow(
        /Not a Flockwork frame/,
      );
    expect(() => decodeFrame(new Uint8Array([...frame, ...new Uint8Array(8)]))).toThrow(
      /8 bytes that no message names/,
    );
  });

  it("are refused when lengths lie", () => {
    const frame = encodeFrame([Float64Array.of(1, 2)]);
    // Header: fixarray 1, fixext4 type 6, then the length.
    expect([...frame.subarray(4, 11)]).toEqual([0x91, 0xd6, 6, 16, 0, 0, 0]);
    for (const [bytes, what] of [
      [[0xff, 0xff, 0xff, 0xff], /4294967295 bytes where 16 are left/],
      [[17, 0, 0, 0], /17 bytes where 16/],
      [[15, 0, 0, 0], /15 bytes for elements of 8/],
      [[8, 0, 0, 0], /8 bytes that no message names/],
    ] as const) {
      const lying = frame.slice();
      lying.set(bytes, 7);
      expect(() => decodeFrame(lying)).toThrow(what);
    }
    expect(() => decodeFrame(withHeader([0x90], 0xffffffff))).toThrow(/a header of 4294967295 bytes/);
  });

  it("cost no more than they weigh: declared sizes are not believed", () => {
    const array32 = (count: number) => [
      0xdd,
      count >>> 24,
      (count >>> 16) & 255,
      (count >>> 8) & 255,
      count & 255,
    ];
    const bombs = [
      array32(0xffffffff),
      // Each of these would allocate a list of 65,535 before its first element is read.
      Array.from({ length: 200_000 }, () => array32(65_535)).flat(),
      Array.from({ length: 300_000 }, () => [0xdf, 0, 0, 3, 255]).flat(),
      [0xdb, 0xff, 0xff, 0xff, 0xff],
    ];
    for (const header of bombs) {
      const before = process.memoryUsage().heapUsed;
      expect(() => decodeFrame(withHeader(header))).toThrow(/Not a Flockwork frame/);
      expect(process.memoryUsage().heapUsed - before).toBeLessThan(64 * 1024 * 1024);
    }
  });

  it("are refused with deep nesting, odd formats, odd keys and too many messages", () => {
    const nested = (depth: number) => withHeader([...new Array<number>(depth).fill(0x91), 0x90]);
    expect(decodeFrame(nested(MAX_DEPTH - 1))).toHaveLength(1);
    expect(() => decodeFrame(nested(1_000_000))).toThrow(/nested deeper/);
    for (const header of [
      [0xc1],
      [0x91, 0xc4, 1, 0],
      [0x91, 0xd6, 0, 0, 0, 0, 0],
      [0x91, 0xd6, 8, 0, 0, 0, 0],
      [0x91, 0xd6, 0xff, 0, 0, 0, 0],
      [0x91, 0xd4, 1, 0],
      [0x91, 0xc7, 0, 1],
      [0x80],
      [0x91],
      [0x90, 0x90],
      [0x91, 0x81, 0xa9, ...Buffer.from("__proto__"), 0x80],
      [0x91, 0x81, 0x90, 0x80],
    ])
      expect(() => decodeFrame(withHeader(header)), String(header)).toThrow(/Not a Flockwork frame/);
    expect(decodeFrame(encodeFrame(new Array(MAX_MESSAGES).fill(0)))).toHaveLength(MAX_MESSAGES);
    expect(() => decodeFrame(encodeFrame(new Array(MAX_MESSAGES + 1).fill(0)))).toThrow(/65537 messages/);
  });
});

const bytes = fc.uint8Array({ maxLength: 20 });
const column = fc.array(fc.nat(9), { maxLength: 5 });
/** Messages with real names and fields, right or nearly so: they get past the first checks. */
const realMessages = fc.array(
  fc.record(
    {
      t: fc.constantFrom(...Object.keys(MESSAGES)),
      seq: fc.nat(),
      service: fc.constant("upper"),
      code: fc.constant("internal"),
      message: fc.string(),
      fatal: fc.boolean(),
      runs: column.map((list) => Float64Array.from(list)),
      tasks: column.map((list) => Float64Array.from(list)),
      attempts: fc.oneof(
        column.map((list) => Uint16Array.from(list)),
        fc.nat(),
      ),
      kinds: column.map((list) => Uint8Array.from(list)),
      lengths: column.map((list) => Uint32Array.from(list)),
      data: bytes,
      constructor: fc.string(),
    },
    { requiredKeys: ["t"], noNullPrototype: true },
  ),
  { maxLength: 4 },
);
