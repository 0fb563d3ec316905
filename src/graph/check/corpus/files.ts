// Bytes that are no model, or one that swells when it is read.
import { model, node, port } from "./build.js";
import type { Hostile } from "./case.js";

const good = (): Uint8Array =>
  model({
    inputs: [port("x", "float32", [2, 3])],
    outputs: [port("y", "float32", [2, 3])],
    nodes: [node("Relu", ["x"], ["y"])],
  });

function joined(...parts: (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

/** `field` of a message, length-delimited, as protobuf writes it. */
function field(number: number, body: Uint8Array): Uint8Array {
  const length: number[] = [];
  for (let n = body.length; ; n >>>= 7) {
    length.push(n > 127 ? (n & 127) | 128 : n);
    if (n <= 127) break;
  }
  return joined([(number << 3) | 2], length, body);
}

/** A node in the body of a node, and so on. */
function nested(depth: number): Uint8Array {
  let node: Uint8Array = new Uint8Array();
  // A GraphProto holds nodes in field 1, a node its attributes in 5, an attribute a graph in 6.
  for (let i = 0; i < depth; i++) node = field(5, field(6, field(1, node)));
  return joined(field(8, Uint8Array.of(16, 21)), field(7, field(1, node)));
}

export const files: readonly Hostile[] = [
  ["no bytes", () => new Uint8Array(), /not an ONNX model/],
  ["a zero", () => Uint8Array.of(0), /not an ONNX model/],
  ["text", () => new TextEncoder().encode("hello, I am a model"), /not an ONNX model|not known|past its end/],
  ["noise", () => Uint8Array.from({ length: 4096 }, (_, i) => (i * 7919) & 255), /./],
  ["a model cut in half", () => good().slice(0, good().length >> 1), /./],
  ["a model without its last byte", () => good().slice(0, -1), /./],
  ["a model with a byte too many", () => joined(good(), [7]), /./],
  ["a length past the end", () => joined([0x3a, 0xff, 0xff, 0xff, 0x7f]), /past its end|not an ONNX model/],
  ["a length below 0", () => joined([0x3a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01]), /./],
  ["a number without an end", () => new Uint8Array(64).fill(0xff), /./],
  [
    "a field that is not known",
    () => joined(good(), field(15, new Uint8Array(3)), [((100 << 3) & 127) | 128, 6, 0]),
    /not known|not an ONNX model/,
  ],
  ["graphs in graphs", () => nested(60), /deep/],
  ["graphs in graphs, a thousand", () => nested(1000), /deep/],
  [
    "four megabytes of empty nodes",
    () =>
      joined(
        good(),
        field(
          7,
          new Uint8Array(4 << 20).map((_, i) => (i % 2 === 0 ? 0x0a : 0)),
        ),
      ),
    /limit "decoded"/,
  ],
  ["no operator set", () => model({ inputs: [], outputs: [] }, { opsetImport: [] }), /operator set/],
  [
    "an operator set of old",
    () => model({}, { opsetImport: [{ domain: "", version: 7n }] }),
    /operator set 7/,
  ],
  [
    "an operator set to come",
    () => model({}, { opsetImport: [{ domain: "", version: 999n }] }),
    /operator set 999/,
  ],
  [
    "an operator set below 0",
    () => model({}, { opsetImport: [{ domain: "", version: -1n }] }),
    /operator set -1/,
  ],
  [
    "two operator sets",
    () =>
      model(
        {},
        {
          opsetImport: [
            { domain: "", version: 21n },
            { domain: "ai.onnx", version: 13n },
          ],
        },
      ),
    /two operator sets/,
  ],
];
