// Names that are missing, given twice, or read before they are made: cycles among them.
import { model, node, port, weights } from "./build.js";
import type { Hostile } from "./case.js";

const x = port("x", "float32", [2, 3]);
const y = port("y", "float32", [2, 3]);
const relu = node("Relu", ["x"], ["y"]);

export const names: readonly Hostile[] = [
  [
    "a cycle of two",
    () =>
      model({
        inputs: [x],
        outputs: [y],
        nodes: [node("Add", ["x", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["y"])],
      }),
    /"b" is not defined/,
  ],
  [
    "a cycle of one",
    () => model({ inputs: [x], outputs: [y], nodes: [node("Add", ["x", "y"], ["y"])] }),
    /"y" is not defined/,
  ],
  [
    "nodes out of order",
    () =>
      model({ inputs: [x], outputs: [y], nodes: [node("Relu", ["a"], ["y"]), node("Relu", ["x"], ["a"])] }),
    /"a" is not defined/,
  ],
  [
    "an input that nobody gives",
    () => model({ inputs: [x], outputs: [y], nodes: [node("Relu", ["ghost"], ["y"])] }),
    /ghost/,
  ],
  [
    "an output that nobody computes",
    () => model({ inputs: [x], outputs: [port("ghost", "float32", [2, 3])], nodes: [relu] }),
    /ghost/,
  ],
  [
    "a name given twice",
    () => model({ inputs: [x], outputs: [y], nodes: [relu, node("Neg", ["x"], ["y"])] }),
    /given twice/,
  ],
  [
    "an input computed over",
    () =>
      model({ inputs: [x], outputs: [port("x", "float32", [2, 3])], nodes: [node("Relu", ["x"], ["x"])] }),
    /given twice/,
  ],
  [
    "two inputs of one name",
    () => model({ inputs: [x, port("x", "float32", [9, 9])], outputs: [y], nodes: [relu] }),
    /two inputs/,
  ],
  [
    "an input without a name",
    () => model({ inputs: [port("", "float32", [2, 3])], outputs: [y], nodes: [relu] }),
    /no name/,
  ],
  ["two outputs of one name", () => model({ inputs: [x], outputs: [y, y], nodes: [relu] }), /two outputs/],
  [
    "two initializers of one name",
    () =>
      model({
        inputs: [x],
        outputs: [y],
        nodes: [relu],
        initializers: [weights("w", "float32", [1], [1]), weights("w", "float32", [1], [2])],
      }),
    /given twice/,
  ],
  [
    "an initializer without a name",
    () =>
      model({ inputs: [x], outputs: [y], nodes: [relu], initializers: [weights("", "float32", [1], [1])] }),
    /no name/,
  ],
  [
    "an output of one node named twice in it",
    () => model({ inputs: [x], outputs: [y], nodes: [node("Split", ["x"], ["y", "y"], { num_outputs: 2 })] }),
    /given twice/,
  ],
  [
    "an initializer computed over",
    () =>
      model({
        inputs: [x],
        outputs: [y],
        nodes: [node("Relu", ["x"], ["w"]), relu],
        initializers: [weights("w", "float32", [1], [1])],
      }),
    /given twice/,
  ],
];
