// Attributes that are not known, of another kind, or outside what they may be. Operators with too few or too many inputs and outputs.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { AttributeProto_AttributeType, AttributeProtoSchema, type AttributeProto } from "onnx-buf";
import { graph, model, node, port, single, weights } from "./build.js";
import type { Hostile } from "./case.js";

const x = port("x", "float32", [2, 3]);
const y = port("y", "float32", [2, 3]);

export const attributes: readonly Hostile[] = [
  ["an attribute that is not known", () => single("Relu", { slope: 2 }), /slope/],
  ["an attribute of another kind", () => single("Softmax", { axis: "last" }), /axis must be a whole number/],
  ["a yes or no that is 11", () => single("ReduceSum", { keepdims: 11 }), /keepdims is 11/],
  ["a fraction for an axis", () => single("Softmax", { axis: 0.5 }), /axis must be a whole number/],
  ["an axis past the end", () => single("Softmax", { axis: 2 }), /axis 2/],
  ["an axis far past the end", () => single("Softmax", { axis: Number.MAX_SAFE_INTEGER }), /axis/],
  ["an axis below the start", () => single("Softmax", { axis: -3 }), /axis -3/],
  ["axes named twice", () => single("ReduceSum", {}, [weights("axes", "int64", [2], [0, -2])]), /twice/],
  ["axes past the end", () => single("ReduceSum", {}, [weights("axes", "int64", [1], [7])]), /axis 7/],
  ["a permutation of too many", () => single("Transpose", { perm: [0, 1, 2] }), /transpose/],
  ["a permutation that repeats", () => single("Transpose", { perm: [0, 0] }), /transpose/],
  ["an attribute twice", () => model({ inputs: [x], outputs: [{ name: "y" }], nodes: [twice()] }), /twice/],
  ["an attribute without a name", () => single("Softmax", { "": 1 }), /without a name/],
  [
    "a reference to a function's attribute",
    () => model({ inputs: [x], outputs: [{ name: "y" }], nodes: [referring()] }),
    /function/,
  ],
  ["a cast to a dtype nobody carries", () => single("Cast", { to: 8 }), /element type 8/],
  ["a cast to nothing", () => single("Cast", {}), /Cast/],
  ["a cast to a dtype that is none", () => single("Cast", { to: 999 }), /999/],
  [
    "a constant with two values",
    () =>
      model({
        outputs: [{ name: "y" }],
        nodes: [node("Constant", [], ["y"], { value_int: 1, value_float: 0.5 })],
      }),
    /one value/,
  ],
  [
    "a constant with none",
    () => model({ outputs: [{ name: "y" }], nodes: [node("Constant", [], ["y"])] }),
    /one value/,
  ],
  ["a graph where a number should be", () => single("Softmax", { axis: graph({}) }), /axis must be/],
  ["a string for a body", () => single("Loop", { body: "x" }), /must be a graph|inputs/],
];

function twice(): ReturnType<typeof node> {
  return node("Softmax", ["x"], ["y"], {}, { attribute: [axis(), axis()] });
}

function referring(): ReturnType<typeof node> {
  return node("Softmax", ["x"], ["y"], {}, { attribute: [axis({ refAttrName: "axis" })] });
}

function axis(over: MessageInitShape<typeof AttributeProtoSchema> = {}): AttributeProto {
  return create(AttributeProtoSchema, {
    name: "axis",
    type: AttributeProto_AttributeType.INT,
    i: 1n,
    ...over,
  });
}

export const arities: readonly Hostile[] = [
  ["Add of one", () => single("Add"), /1 inputs/],
  [
    "Add of three",
    () => single("Add", {}, [weights("a", "float32", [], [1]), weights("b", "float32", [], [1])]),
    /3 inputs/,
  ],
  ["Relu of none", () => model({ outputs: [{ name: "y" }], nodes: [node("Relu", [], ["y"])] }), /0 inputs/],
  [
    "Relu of two outputs",
    () => model({ inputs: [x], outputs: [y], nodes: [node("Relu", ["x"], ["y", "z"])] }),
    /2 outputs/,
  ],
  [
    "Where of an omitted input",
    () => model({ inputs: [x], outputs: [y], nodes: [node("Where", ["", "x", "x"], ["y"])] }),
    /missing/,
  ],
  [
    "Concat of none",
    () => model({ outputs: [{ name: "y" }], nodes: [node("Concat", [], ["y"], { axis: 0 })] }),
    /0 inputs/,
  ],
  [
    "MaxPool's indices",
    () =>
      model({
        inputs: [port("x", "float32", [1, 1, 4])],
        outputs: [{ name: "y" }],
        nodes: [node("MaxPool", ["x"], ["y", "at"], { kernel_shape: [2] })],
      }),
    /no output 1/,
  ],
];
