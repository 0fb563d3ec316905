// Frames for a fuzz run: real ones, changed a little or a lot, and bytes from nowhere. The same seed makes the same frames.
import { encodeFrame } from "../../dist/wire/index.js";

/** A source of numbers in [0, 1) from a seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Values that programs get wrong. */
const AWKWARD = [0, 1, 2, 7, 8, 0x7f, 0x80, 0xbf, 0xc0, 0xc1, 0xd6, 0xdb, 0xdd, 0xdf, 0xff];

type Mutation = (bytes: Uint8Array, random: () => number) => Uint8Array;

const at = (bytes: Uint8Array, random: () => number) => Math.floor(random() * bytes.length);

const MUTATIONS: readonly Mutation[] = [
  // As it is.
  (bytes) => bytes,
  // A few bits.
  (bytes, random) => {
    const copy = bytes.slice();
    for (let i = 0; i <= random() * 4; i++) copy[at(copy, random)]! ^= 1 << Math.floor(random() * 8);
    return copy;
  },
  // A few bytes with awkward values.
  (bytes, random) => {
    const copy = bytes.slice();
    for (let i = 0; i <= random() * 6; i++)
      copy[at(copy, random)] = AWKWARD[Math.floor(random() * AWKWARD.length)]!;
    return copy;
  },
  // Cut short.
  (bytes, random) => bytes.slice(0, at(bytes, random)),
  // With a tail.
  (bytes, random) => {
    const tail = Uint8Array.from({ length: random() * 64 }, () => random() * 256);
    return Buffer.concat([bytes, tail]);
  },
  // A piece of it twice, or left out.
  (bytes, random) => {
    const [a, b] = [at(bytes, random), at(bytes, random)];
    return Buffer.concat([bytes.subarray(0, Math.max(a, b)), bytes.subarray(Math.min(a, b))]);
  },
  (bytes, random) => {
    const [a, b] = [at(bytes, random), at(bytes, random)];
    return Buffer.concat([bytes.subarray(0, Math.min(a, b)), bytes.subarray(Math.max(a, b))]);
  },
  // Another header length.
  (bytes, random) => {
    const copy = Buffer.from(bytes);
    if (copy.length >= 4) copy.writeUInt32LE(Math.floor(random() * (random() < 0.5 ? 2 ** 32 : copy.length)));
    return copy;
  },
  // Nothing of it.
  (_, random) => Uint8Array.from({ length: random() ** 3 * 2000 }, () => random() * 256),
];

/** One frame of a fuzz run, made of real messages. */
export function fuzzFrame(messages: readonly object[], random: () => number): Uint8Array {
  const picked = Array.from(
    { length: 1 + Math.floor(random() ** 4 * 6) },
    () => messages[Math.floor(random() * messages.length)]!,
  );
  const frame = encodeFrame(picked);
  return MUTATIONS[Math.floor(random() * MUTATIONS.length)]!(frame, random);
}

const STREAMS = ["00112233445566778899aabbccddeeff", "11112222333344445555666677778888"];

/** Messages that clients and nodes may send, with numbers that meet each other now and then. */
export function realMessages(random: () => number): readonly object[] {
  const number = () => Math.floor(random() ** 2 * 50);
  const task = () => 2 ** 32 + number();
  const attempts = () => ({ tasks: Float64Array.of(task(), task()), attempts: Uint16Array.of(1, 2) });
  const runs = () => Float64Array.of(number(), 1 + number());
  const payloads = (n: number) => ({
    kinds: new Uint8Array(n).fill(1),
    lengths: new Uint32Array(n).fill(5),
    data: new Uint8Array(8 * n).fill(97),
  });
  const id = () => STREAMS[Math.floor(random() * STREAMS.length)]!;
  const service = () => (random() < 0.5 ? "quiet" : "fuzzed");
  return [
    { t: "beat" },
    { t: "submit", seq: number(), service: service(), ...payloads(3), deadlineMs: 1 + number() },
    { t: "submit", seq: number(), service: service(), inputs: [number()], ...payloads(1), deadlineMs: 100 },
    { t: "submit", seq: number(), service: "quiet", ...payloads(1), streams: [[0, id()]], deadlineMs: 100 },
    { t: "cancel", runs: runs() },
    { t: "ack", runs: runs() },
    { t: "ack", runs: Float64Array.of(0, 1000) },
    { t: "resume" },
    { t: "solved", ...attempts(), ms: Float32Array.of(1, 1), ...payloads(2) },
    { t: "failed", task: task(), attempt: 1, code: "x", message: "fuzz", retry: random() < 0.5 },
    { t: "dropped", ...attempts() },
    { t: "credit", window: number(), slots: number() },
    { t: "open", id: id() },
    { t: "chunk", id: id(), offset: 0, data: new Uint8Array(1000) },
    { t: "grant", id: id(), have: 0, upTo: 2 ** 20 },
    { t: "end", id: id(), bytes: 1000 },
    { t: "fetch", id: id(), offset: 0, upTo: 1000, of: { seq: number() } },
    { t: "fetch", id: id(), offset: 0, upTo: 1000, of: { task: task(), attempt: 1, index: 0 } },
    { t: "broken", id: id(), code: "x", message: "fuzz" },
  ];
}
