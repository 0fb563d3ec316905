// Models as other tools write them, read into expressions: what the interpreter makes of them is what ONNX Runtime makes of the file.
import { beforeAll, describe, expect, it } from "vitest";
import { evaluate, load } from "../graph/index.js";
import { graph, model, node, port, weights, type GraphInit } from "../graph/check/corpus/build.js";
import { toNumbers, toTensor, type Tensor } from "../tensor/index.js";
import type { Engine } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";

const wave = (...shape: number[]): Tensor<"float32"> =>
  toTensor(
    Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) =>
      Math.sin(i * 1.3 + shape.length),
    ),
    { shape },
  );
const floats = (name: string, ...shape: number[]): ReturnType<typeof weights> =>
  weights(name, "float32", shape, [...toNumbers(wave(...shape))]);
const ints = (name: string, ...values: number[]): ReturnType<typeof weights> =>
  weights(name, "int64", [values.length], values);
const image = { inputs: [port("x", "float32", ["n", 2, 5, 6])], feed: wave(2, 2, 5, 6) };
const matrix = { inputs: [port("x", "float32", ["n", 4])], feed: wave(3, 4) };
const y = [{ name: "y" }];

interface Written extends GraphInit {
  readonly feed: Tensor;
}

/** One node on `x` and the weights given. */
function one(
  on: typeof image,
  opType: string,
  attributes: Parameters<typeof node>[3] = {},
  initializers: GraphInit["initializers"] = [],
  outputs: readonly string[] = ["y"],
): Written {
  return {
    ...on,
    outputs: outputs.map((name) => ({ name })),
    nodes: [node(opType, ["x", ...initializers.map(({ name }) => name)], outputs, attributes)],
    initializers,
  };
}

const scalar = (name: string, dtype: "int64" | "bool"): ReturnType<typeof port> => port(name, dtype, []);

const written: Readonly<Record<string, Written>> = {
  Gemm: one(matrix, "Gemm", { alpha: 0.5, beta: 2.5, transB: 1 }, [floats("w", 3, 4), floats("b", 3)]),
  "Conv, padded as SAME_UPPER": one(image, "Conv", { auto_pad: "SAME_UPPER", strides: [2, 2] }, [
    floats("w", 3, 2, 2, 3),
    floats("b", 3),
  ]),
  "Conv, padded as SAME_LOWER": one(image, "Conv", { auto_pad: "SAME_LOWER" }, [floats("w", 3, 2, 2, 2)]),
  "Conv in groups, dilated": one(image, "Conv", { group: 2, dilations: [2, 1], pads: [1, 0, 1, 2] }, [
    floats("w", 4, 1, 2, 2),
  ]),
  ConvTranspose: one(image, "ConvTranspose", { strides: [2, 1], output_padding: [1, 0] }, [
    floats("w", 2, 3, 2, 2),
  ]),
  MaxPool: one(image, "MaxPool", { kernel_shape: [2, 2], strides: [1, 2] }),
  "AveragePool over padding": one(image, "AveragePool", {
    kernel_shape: [2, 3],
    pads: [1, 1, 0, 1],
    count_include_pad: 1,
  }),
  GlobalAveragePool: one(image, "GlobalAveragePool"),
  BatchNormalization: one(image, "BatchNormalization", { epsilon: 0.01 }, [
    floats("s", 2),
    floats("b", 2),
    floats("m", 2),
    weights("v", "float32", [2], [0.5, 2]),
  ]),
  InstanceNormalization: one(image, "InstanceNormalization", {}, [floats("s", 2), floats("b", 2)]),
  LayerNormalization: one(image, "LayerNormalization", { axis: 2 }, [floats("s", 5, 6), floats("b", 5, 6)]),
  Flatten: one(image, "Flatten"),
  "Flatten from behind": one(image, "Flatten", { axis: -1 }),
  "Split, unevenly": one(image, "Split", { axis: 2, num_outputs: 3 }, [], ["a", "b", "c"]),
  "Split by sizes": one(image, "Split", { axis: -2 }, [ints("s", 1, 0, 4)], ["a", "b", "c"]),
  "Slice from behind": one(image, "Slice", {}, [
    ints("starts", -1, 1),
    ints("ends", -(2 ** 40), 2 ** 40),
    ints("axes", -1, 1),
    ints("steps", -2, 1),
  ]),
  "Slice of nothing, from beyond": one(image, "Slice", {}, [
    ints("starts", 2 ** 40, -(2 ** 40)),
    ints("ends", 2 ** 41, 2 ** 40),
    ints("axes", 3, 2),
    ints("steps", 1, -1),
  ]),
  "Pad along some axes": one(image, "Pad", {}, [
    ints("pads", 1, 0, 2, 1),
    weights("v", "float32", [], [1.5]),
    ints("axes", -1, 2),
  ]),
  "Pad that cuts": one(image, "Pad", {}, [ints("pads", 0, 0, -1, 1, 0, 0, -1, -2)]),
  "ReduceMean over axes from behind": one(image, "ReduceMean", { keepdims: 0 }, [ints("axes", -1, 1)]),
  "ReduceSum of everything": one(image, "ReduceSum"),
  "ReduceSum of nothing": one(image, "ReduceSum", { noop_with_empty_axes: 1 }),
  Unsqueeze: one(image, "Unsqueeze", {}, [ints("axes", -1, 1)]),
  "Reshape with a dimension kept": one(image, "Reshape", {}, [ints("shape", 0, -1, 3)]),
  "Expand both ways": one(image, "Expand", {}, [ints("shape", 1, 1, 1)]),
  "Transpose, reversed": one(image, "Transpose"),
  "Clip to what is computed": {
    ...matrix,
    outputs: y,
    nodes: [
      node("ReduceMin", ["x"], ["least"], { keepdims: 0 }),
      node("Neg", ["least"], ["most"]),
      node("Clip", ["x", "", "most"], ["y"]),
    ],
  },
  "Max of three": {
    ...matrix,
    outputs: y,
    nodes: [
      node("Neg", ["x"], ["a"]),
      node("Abs", ["x"], ["b"]),
      node("Max", ["a", "b", "x"], ["c"]),
      node("Mean", ["c", "x"], ["y"]),
    ],
  },
  "Resize between corners": one(
    { ...image, inputs: [port("x", "float32", [2, 2, 5, 6])] },
    "Resize",
    { mode: "linear", coordinate_transformation_mode: "align_corners" },
    [floats("roi", 0), floats("scales", 0), ints("sizes", 2, 2, 9, 7)],
  ),
  "Resize by scales": one(image, "Resize", { mode: "linear" }, [
    floats("roi", 0),
    weights("scales", "float32", [4], [1, 1, 2, 1.5]),
  ]),
  Einsum: one(matrix, "Einsum", { equation: "ni,jk->kn" }, [floats("w", 2, 3)]),
  SpaceToDepth: one(
    { ...image, inputs: [port("x", "float32", [2, 2, 4, 6])], feed: wave(2, 2, 4, 6) },
    "SpaceToDepth",
    {
      blocksize: 2,
    },
  ),
  DepthToSpace: one(
    { ...image, inputs: [port("x", "float32", [2, 8, 2, 3])], feed: wave(2, 8, 2, 3) },
    "DepthToSpace",
    {
      blocksize: 2,
      mode: "CRD",
    },
  ),
  LpNormalization: one(image, "LpNormalization", { axis: 1 }),
  "positions, as transformers count them": {
    ...matrix,
    outputs: y,
    nodes: [
      node("Shape", ["x"], ["s"], { start: 0, end: 1 }),
      node("Squeeze", ["s"], ["n"]),
      node("Range", ["zero", "n", "one"], ["at"]),
      node("Cast", ["at"], ["f"], { to: 1 }),
      node("Unsqueeze", ["f", "axes"], ["column"]),
      node("Add", ["x", "column"], ["y"]),
    ],
    initializers: [weights("zero", "int64", [], [0]), weights("one", "int64", [], [1]), ints("axes", 1)],
  },
  "a view, as PyTorch writes it": {
    ...image,
    outputs: y,
    nodes: [
      node("Shape", ["x"], ["s"]),
      node("Gather", ["s", "zero"], ["n"], { axis: 0 }),
      node("Unsqueeze", ["n", "axes"], ["n1"]),
      node("Concat", ["n1", "rest"], ["shape"], { axis: 0 }),
      node("Reshape", ["x", "shape"], ["y"]),
    ],
    initializers: [weights("zero", "int64", [], [0]), ints("axes", 0), ints("rest", -1)],
  },
  "an expand, as PyTorch writes it": {
    ...matrix,
    outputs: y,
    nodes: [
      node("Shape", ["x"], ["s"], { start: 0, end: 1 }),
      node("Concat", ["s", "minus"], ["wanted"], { axis: 0 }),
      node("Equal", ["wanted", "minus"], ["stays"]),
      node("ConstantOfShape", ["two"], ["ones"], { value: weights("", "int64", [1], [1]) }),
      node("Where", ["stays", "ones", "wanted"], ["shape"]),
      node("Expand", ["b", "shape"], ["wide"]),
      node("Add", ["x", "wide"], ["y"]),
    ],
    initializers: [ints("minus", -1), ints("two", 2), floats("b", 4)],
  },
  "a Loop that carries and collects": {
    ...matrix,
    outputs: [{ name: "y" }, { name: "all" }],
    nodes: [
      node("Loop", ["n", "", "x"], ["y", "all"], {
        body: graph({
          inputs: [scalar("i", "int64"), scalar("go", "bool"), { name: "a" }],
          outputs: [scalar("go_on", "bool"), { name: "b" }, { name: "c" }],
          nodes: [
            node("Identity", ["go"], ["go_on"]),
            node("Cast", ["i"], ["f"], { to: 1 }),
            node("Add", ["a", "f"], ["b"]),
            node("Mul", ["b", "x"], ["c"]),
          ],
        }),
      }),
    ],
    initializers: [weights("n", "int64", [], [3])],
  },
  "an If that is decided": {
    ...matrix,
    outputs: y,
    nodes: [
      node("If", ["test"], ["y"], {
        then_branch: graph({ outputs: [{ name: "a" }], nodes: [node("Neg", ["x"], ["a"])] }),
        else_branch: graph({ outputs: [{ name: "b" }], nodes: [node("Exp", ["x"], ["b"])] }),
      }),
    ],
    initializers: [weights("test", "bool", [], [0])],
  },
};

describe("models as other tools write them", () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await ortNodeEngine();
  });

  it.each(Object.entries(written))("%s", async (_, { feed, ...init }) => {
    const bytes = model(withOutputTypes(init));
    const session = await engine.load(bytes);
    const expected = await session.run({ x: feed });
    await session.release();
    const { outputs } = load(bytes);
    const values = evaluate(Object.values(outputs), { x: feed });
    Object.keys(outputs).forEach((name, i) => {
      expect(values[i]!.shape).toEqual(expected[name]!.shape);
      toNumbers(expected[name]!).forEach((value, k) => {
        expect(Math.abs(values[i]!.data[k]! - value), `${name}[${k}]`).toBeLessThan(2e-5);
      });
    });
  });
});

/** ONNX Runtime wants the dtype of outputs, if not their shape. */
function withOutputTypes(init: GraphInit): GraphInit {
  return { ...init, outputs: init.outputs!.map(({ name }) => port(name!, "float32")) };
}
