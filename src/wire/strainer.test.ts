// The strainer beside the WebSocket library: however a connection's bytes are cut, the same messages come in the same order, and
// what is wrong is found by the library as before.
import { createRequire } from "node:module";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CHUNK_BYTES } from "./chunk-memory.js";
import { Strainer } from "./strainer.js";

const RUNS = Number(process.env["FLOCKWORK_TEST_RUNS"] ?? 30);
const MAX_PAYLOAD = 3 * CHUNK_BYTES;

/** The library's own reader of frames, which its types leave out. */
interface Receiver {
  write(bytes: Buffer): void;
  on(event: "message" | "ping" | "conclude" | "error", heard: (what: never, binary: boolean) => void): void;
}
const { Receiver } = createRequire(import.meta.url)("ws") as {
  Receiver: new (options: object) => Receiver;
};

/** A reader that tells all it hears. */
function reader(masked: boolean, heard: string[]): { receiver: Receiver } {
  const receiver = new Receiver({ isServer: masked, maxPayload: MAX_PAYLOAD, binaryType: "fragments" });
  let failed = false;
  receiver.on("message", (data: Buffer | Buffer[], binary) =>
    heard.push(`${binary ? "binary" : "text"} ${digest(Buffer.concat(Array.isArray(data) ? data : [data]))}`),
  );
  receiver.on("ping", (data: Buffer) => heard.push(`ping ${digest(data)}`));
  receiver.on("conclude", (code: number) => heard.push(`close ${code}`));
  receiver.on("error", (error: Error) => {
    if (!failed) heard.push(error.message);
    failed = true;
  });
  return { receiver };
}

function digest(bytes: Uint8Array): string {
  return `${bytes.length}: ${Buffer.from(bytes.subarray(0, 8)).toString("hex")} ${Buffer.from(bytes.subarray(-8)).toString("hex")}`;
}

interface Frame {
  readonly first: number;
  readonly length: number;
  readonly mask: number;
  readonly masked: boolean;
}

function encode({ first, length, mask, masked }: Frame, n: number): Buffer {
  const size = length < 126 ? 0 : length < 65_536 ? 2 : 8;
  const head = Buffer.alloc(2 + size + (masked ? 4 : 0));
  head[0] = first;
  head[1] = (masked ? 0x80 : 0) | (size === 0 ? length : size === 2 ? 126 : 127);
  if (size === 2) head.writeUInt16BE(length, 2);
  if (size === 8) head.writeBigUInt64BE(BigInt(length), 2);
  if (masked) head.writeUInt32BE(mask, 2 + size);
  return Buffer.concat([head, Buffer.alloc(length, n + 1)]);
}

/** The library tells of a fault a little later. */
const told = () => new Promise((resolve) => setImmediate(resolve));

/** The library's connections read nothing after a close. */
function isClosed(heard: readonly string[]): boolean {
  return heard.at(-1)?.startsWith("close") === true;
}

async function straight(wire: Buffer, masked: boolean): Promise<string[]> {
  const heard: string[] = [];
  const { receiver } = reader(masked, heard);
  for (let at = 0; at < wire.length && !isClosed(heard); at += 65_536)
    receiver.write(wire.subarray(at, at + 65_536));
  await told();
  return heard;
}

async function strained(wire: Buffer, masked: boolean, transient: boolean, cuts: readonly number[]) {
  const heard: string[] = [];
  let past = 0;
  const { receiver } = reader(masked, heard);
  const strainer = new Strainer({
    masked,
    maxBytes: MAX_PAYLOAD,
    transient,
    take: (bytes) => new Uint8Array(bytes),
    message: (frame, tail = new Uint8Array()) => {
      past++;
      heard.push(`binary ${digest(Buffer.concat([frame, tail]))}`);
    },
    pass: (bytes) => receiver.write(Buffer.from(bytes)),
    rest: (bytes) => {
      if (!isClosed(heard)) receiver.write(Buffer.from(bytes));
    },
  });
  for (let at = 0, i = 0; at < wire.length; i++) {
    const size = cuts[i % cuts.length]!;
    const piece = Buffer.from(wire.subarray(at, at + size));
    strainer.write(piece);
    // The memory of a transient piece is used again.
    if (transient) piece.fill(0xee);
    at += size;
  }
  await told();
  return { heard, past };
}

const BINARY = 0x82;
const LENGTHS = [0, 1, 125, 126, 1000, 65_535, 65_536, CHUNK_BYTES, 2 * CHUNK_BYTES + 1];

const frames = (masked: boolean) =>
  fc.array(
    fc.record({
      // Whole and in parts, text, control frames, and what is not allowed.
      first: fc.constantFrom(BINARY, BINARY, BINARY, 0x02, 0x80, 0x80, 0x00, 0x81, 0x89, 0x88, 0xc2, 0x83),
      length: fc.constantFrom(...LENGTHS),
      mask: fc.constantFrom(0, 0, 0, 0, 0x01020304),
      masked: fc.constantFrom(masked, masked, masked, masked, masked, masked, masked, !masked),
    }),
    { minLength: 1, maxLength: 12 },
  );

describe.each([
  { masked: true, transient: true },
  { masked: false, transient: true },
  { masked: true, transient: false },
])("a strainer, masked $masked, transient $transient", ({ masked, transient }) => {
  it("lets the same be heard as without it, however the bytes are cut", async () => {
    await fc.assert(
      fc.asyncProperty(
        frames(masked),
        fc.array(fc.constantFrom(1, 3, 13, 1000, 65_536, 262_144, 300_000), { minLength: 1, maxLength: 5 }),
        async (list, cuts) => {
          const wire = Buffer.concat(list.map(encode));
          // Byte by byte is for what is small.
          const sizes = wire.length > 100_000 ? cuts.map((cut) => Math.max(cut, 1000)) : cuts;
          expect((await strained(wire, masked, transient, sizes)).heard).toEqual(
            await straight(wire, masked),
          );
        },
      ),
      { numRuns: RUNS * 3 },
    );
  });

  it("takes what senders of ours make past the library, in one part or two", async () => {
    const plain = { mask: 0, masked };
    const list = [
      { first: BINARY, length: 300, ...plain },
      { first: 0x02, length: 96, ...plain },
      { first: 0x80, length: CHUNK_BYTES, ...plain },
      { first: 0x02, length: 96, ...plain },
      // One that comes between the two.
      { first: 0x89, length: 4, ...plain },
      { first: 0x80, length: 1000, ...plain },
    ];
    const wire = Buffer.concat(list.map(encode));
    const { heard, past } = await strained(wire, masked, transient, [65_536, 7]);
    expect(heard).toEqual(await straight(wire, masked));
    expect(past).toBe(3);
  });
});
