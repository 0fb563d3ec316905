// Tensors that lie about their data, or keep it elsewhere.
import { TensorProto_DataLocation as Location } from "onnx-buf";
import { model, node, port, single, weights } from "./build.js";
import type { Hostile } from "./case.js";

const x = port("x", "float32", [2, 3]);
const y = port("y", "float32", [2, 3]);
const relu = node("Relu", ["x"], ["y"]);

export const data: readonly Hostile[] = [
  [
    "data in another file",
    () =>
      withWeights({
        dataLocation: Location.EXTERNAL,
        externalData: [{ key: "location", value: "/etc/passwd" }],
        rawData: new Uint8Array(),
      }),
    /another file/,
  ],
  [
    "data in another file, unsaid",
    () => withWeights({ externalData: [{ key: "location", value: "../../secret" }] }),
    /another file/,
  ],
  [
    "external data in a constant",
    () =>
      single("ConstantOfShape", {
        value: weights("", "int64", [1], [1], { externalData: [{ key: "location", value: "x" }] }),
      }),
    /another file/,
  ],
  ["fewer elements than its shape", () => withWeights({ dims: [1000n] }), /1000 elements/],
  ["more elements than its shape", () => withWeights({ dims: [1n] }), /holds 3/],
  ["a negative dimension", () => withWeights({ dims: [-3n] }), /-3/],
  ["two negative dimensions", () => withWeights({ dims: [-3n, -1n] }), /-3,-1/],
  [
    "dimensions whose product wraps to 0",
    () => withWeights({ dims: [2n ** 32n, 2n ** 32n], rawData: new Uint8Array() }),
    /shape/,
  ],
  ["dimensions whose product wraps to 3", () => withWeights({ dims: [2n ** 62n, 3n] }), /shape/],
  ["half an element", () => withWeights({ rawData: new Uint8Array(13) }), /holds 3\.25/],
  ["a dtype nobody carries", () => withWeights({ dataType: 16 }), /BFLOAT16/],
  ["a dtype that is none", () => withWeights({ dataType: 1234 }), /1234/],
  ["no dtype", () => withWeights({ dataType: 0 }), /UNDEFINED/],
  [
    "strings",
    () => withWeights({ dataType: 8, stringData: [new Uint8Array(3)], rawData: new Uint8Array() }),
    /STRING/,
  ],
  ["strings that say float", () => withWeights({ stringData: [new Uint8Array(3)] }), /strings/],
  ["elements in two forms", () => withWeights({ floatData: [1, 2, 3] }), /raw form/],
  [
    "elements in the form of another dtype",
    () => withWeights({ rawData: new Uint8Array(), int64Data: [1n, 2n, 3n] }),
    /holds 0/,
  ],
  ["a segment", () => withWeights({ segment: { begin: 0n, end: 1n } }), /segment/],
  [
    "sparse weights",
    () => model({ inputs: [x], outputs: [y], nodes: [relu], rest: { sparseInitializer: [{}] } }),
    /sparse/,
  ],
];

function withWeights(over: Parameters<typeof weights>[4]): Uint8Array {
  return single("Add", {}, [weights("w", "float32", [3], [1, 2, 3], over)]);
}
