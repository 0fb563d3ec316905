// Inputs, outputs and values that are not what the model declares.
import { model, node, port, weights } from "./build.js";
import type { Hostile } from "./case.js";

const x = port("x", "float32", [2, 3]);
const y = port("y", "float32", [2, 3]);
const relu = node("Relu", ["x"], ["y"]);

export const lies: readonly Hostile[] = [
  [
    "an output of another shape",
    () => model({ inputs: [x], outputs: [port("y", "float32", [1, 1])], nodes: [relu] }),
    /says/,
  ],
  [
    "an output of another rank",
    () => model({ inputs: [x], outputs: [port("y", "float32", [6])], nodes: [relu] }),
    /says/,
  ],
  [
    "an output of another dtype",
    () => model({ inputs: [x], outputs: [port("y", "int64", [2, 3])], nodes: [relu] }),
    /says/,
  ],
  [
    "a value between of another shape",
    () =>
      model({
        inputs: [x],
        outputs: [y],
        nodes: [node("Relu", ["x"], ["a"]), node("Relu", ["a"], ["y"])],
        rest: { valueInfo: [port("a", "float32", [1])] },
      }),
    /"a"/,
  ],
  [
    "an initializer of another shape than its input",
    () =>
      model({
        inputs: [x, port("w", "float32", [7])],
        outputs: [y],
        nodes: [node("Add", ["x", "w"], ["y"])],
        initializers: [weights("w", "float32", [3], [1, 2, 3])],
      }),
    /"w"/,
  ],
  [
    "an input of a negative dimension",
    () => model({ inputs: [port("x", "float32", [-2, 3])], outputs: [{ name: "y" }], nodes: [relu] }),
    /-2/,
  ],
  [
    "an input without a shape",
    () => model({ inputs: [port("x", "float32")], outputs: [{ name: "y" }], nodes: [relu] }),
    /shape/,
  ],
  [
    "an input without a type",
    () => model({ inputs: [{ name: "x" }], outputs: [{ name: "y" }], nodes: [relu] }),
    /type/,
  ],
  [
    "an input of a dtype nobody carries",
    () => model({ inputs: [port("x", 14, [1])], outputs: [{ name: "y" }], nodes: [relu] }),
    /COMPLEX64/,
  ],
  [
    "an input that is a sequence",
    () =>
      model({
        inputs: [{ name: "x", type: { value: { case: "sequenceType", value: {} } } }],
        outputs: [{ name: "y" }],
        nodes: [relu],
      }),
    /sequence/,
  ],
  [
    "an input that is a map",
    () =>
      model({
        inputs: [{ name: "x", type: { value: { case: "mapType", value: {} } } }],
        outputs: [{ name: "y" }],
        nodes: [relu],
      }),
    /map/,
  ],
  [
    "an input that may be missing",
    () =>
      model({
        inputs: [{ name: "x", type: { value: { case: "optionalType", value: {} } } }],
        outputs: [{ name: "y" }],
        nodes: [relu],
      }),
    /optional/,
  ],
];
