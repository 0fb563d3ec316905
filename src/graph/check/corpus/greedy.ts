// Small models that ask for too much: memory, work, symbols that multiply.
import { model, node, port, single, weights } from "./build.js";
import type { Hostile } from "./case.js";

const shape = (...dims: number[]): ReturnType<typeof weights> => weights("s", "int64", [dims.length], dims);

/** `x` times itself, over and over. */
function squares(times: number): Uint8Array {
  return model({
    inputs: [port("x", "float32", [1, 1, 1, 64])],
    outputs: [{ name: "y" }],
    nodes: [
      node("Identity", ["x"], ["a0"]),
      ...Array.from({ length: times }, (_, i) =>
        node("Concat", [`a${i}`, `a${i}`], [`a${i + 1}`], { axis: 3 }),
      ),
      node("Relu", [`a${times}`], ["y"]),
    ],
  });
}

/** A tensor of many sums of symbols, flattened: the product of all of them. */
function symbols(count: number, rank: number): Uint8Array {
  const dims = Array.from({ length: count }, (_, i) => `s${i}`);
  const inputs = dims.map((dim) => port(`x_${dim}`, "float32", [dim]));
  const sum = node(
    "Concat",
    inputs.map(({ name }) => name!),
    ["sum"],
    { axis: 0 },
  );
  const length = node("Shape", ["sum"], ["n"]);
  const square = node(
    "Concat",
    Array.from({ length: rank }, () => "n"),
    ["nn"],
    { axis: 0 },
  );
  return model({
    inputs,
    outputs: [{ name: "y" }],
    initializers: [weights("minus", "int64", [1], [-1]), weights("one", "float32", [], [1])],
    nodes: [
      sum,
      length,
      square,
      node("Expand", ["one", "nn"], ["wide"]),
      node("Reshape", ["wide", "minus"], ["y"]),
    ],
  });
}

const wide = (name: string): ReturnType<typeof port> => port(name, "float32", [1_000_000, 1]);

export const greedy: readonly Hostile[] = [
  [
    "an Expand to everything",
    () => single("Expand", {}, [shape(1_000_000, 1_000_000, 2, 3)]),
    /limit "memory"/,
  ],
  [
    "an Expand to the largest number",
    () => single("Expand", {}, [shape(Number.MAX_SAFE_INTEGER, 2, 3)]),
    /limit "memory"/,
  ],
  [
    "an Expand of more axes than anybody has",
    () => single("Expand", {}, [shape(...new Array<number>(62).fill(1), 2, 3)]),
    /limit "rank"/,
  ],
  ["an Expand to less than nothing", () => single("Expand", {}, [shape(-5, 2, 3)]), /-5/],
  ["a Tile without end", () => single("Tile", {}, [shape(1_000_000, 1_000_000)]), /limit "memory"/],
  ["a Tile of less than nothing", () => single("Tile", {}, [shape(-1, -1)]), /-1/],
  ["a Pad as wide as the world", () => single("Pad", {}, [shape(0, 0, 1e12, 0)]), /limit "memory"/],
  [
    "a ConstantOfShape of a terabyte",
    () =>
      model({
        outputs: [{ name: "y" }],
        nodes: [node("ConstantOfShape", ["s"], ["y"])],
        initializers: [shape(1_000_000, 1_000_000)],
      }),
    /limit "memory"/,
  ],
  [
    "a ConstantOfShape of less than nothing",
    () =>
      model({
        outputs: [{ name: "y" }],
        nodes: [node("ConstantOfShape", ["s"], ["y"])],
        initializers: [shape(-1)],
      }),
    /-1/,
  ],
  [
    "a terabyte that no output needs",
    () =>
      model({
        inputs: [port("x", "float32", [2])],
        outputs: [{ name: "x" }],
        nodes: [node("ConstantOfShape", ["s"], ["dead"])],
        initializers: [shape(1_000_000, 1_000_000)],
      }),
    /limit "memory"/,
  ],
  [
    "an outer product",
    () =>
      model({
        inputs: [wide("x"), port("w", "float32", [1, 1_000_000])],
        outputs: [{ name: "y" }],
        nodes: [node("MatMul", ["x", "w"], ["y"])],
      }),
    /limit "memory"/,
  ],
  [
    "a broadcast of two vectors",
    () =>
      model({
        inputs: [wide("x"), port("w", "float32", [1_000_000])],
        outputs: [{ name: "y" }],
        nodes: [node("Add", ["x", "w"], ["y"])],
      }),
    /limit "memory"/,
  ],
  ["doubling, 40 times", () => squares(40), /limit "memory"/],
  ["doubling, 1100 times", () => squares(1100), /limit "memory"/],
  [
    "an input larger than memory",
    () => single("Relu", {}, [], port("x", "float32", [2 ** 40])),
    /limit "memory"/,
  ],
  [
    "an input of the largest dimension",
    () => single("Relu", {}, [], port("x", "float32", [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER])),
    /limit "memory"/,
  ],
  [
    "zero times infinity",
    () => single("Relu", {}, [], port("x", "float32", [...new Array<number>(15).fill(2 ** 50), 2 ** 50])),
    /limit "memory"/,
  ],
  ["a Range without end", () => range(0, 1e15, 1), /at most|memory/],
  ["a Range that never arrives", () => range(0, 1, 0), /0/],
  ["a Range in steps too small", () => range(0, 1, 1e-300), /at most|steps/],
  [
    "a OneHot of everything",
    () =>
      model({
        inputs: [port("x", "int64", [2])],
        outputs: [{ name: "y" }],
        nodes: [node("OneHot", ["x", "d", "v"], ["y"])],
        initializers: [weights("d", "int64", [1], [1e12]), weights("v", "float32", [2], [0, 1])],
      }),
    /depth/,
  ],
  [
    "a convolution transposed into a plain",
    () =>
      single(
        "ConvTranspose",
        { strides: [1_000_000, 1_000_000] },
        [weights("w", "float32", [1, 1, 1, 1], [1])],
        port("x", "float32", [1, 1, 100, 100]),
      ),
    /limit "memory"/,
  ],
  [
    "a pool padded into a plain",
    () =>
      single(
        "MaxPool",
        { kernel_shape: [1, 1], pads: [0, 0, 1_000_000, 1_000_000] },
        [],
        port("x", "float32", [1, 1, 4, 4]),
      ),
    /pads of|memory|pad/,
  ],
  [
    "an enlargement",
    () =>
      model({
        inputs: [port("x", "float32", [1, 1, 4, 4])],
        outputs: [{ name: "y" }],
        nodes: [
          node("Resize", ["x", "", "s"], ["y"], {
            mode: "nearest",
            nearest_mode: "floor",
            coordinate_transformation_mode: "asymmetric",
          }),
        ],
        initializers: [weights("s", "float32", [4], [1, 1, 1e6, 1e6])],
      }),
    /limit "memory"/,
  ],
  [
    "work for a thousand years",
    () =>
      model({
        inputs: [port("x", "float32", [10_000, 10_000])],
        outputs: [{ name: "y" }],
        nodes: [
          node("Identity", ["x"], ["a0"]),
          ...Array.from({ length: 600 }, (_, i) => node("MatMul", [`a${i}`, "x"], [`a${i + 1}`])),
          node("Relu", ["a600"], ["y"]),
        ],
      }),
    /limit "flops"/,
  ],
  [
    "an interpolation between a plain and a point",
    () =>
      model({
        inputs: [port("x", "float32", [1, 1, 1000, 1])],
        outputs: [{ name: "y" }],
        nodes: [node("Resize", ["x", "", "", "s"], ["y"], { mode: "linear" })],
        initializers: [shape(1, 1, 1_000_000, 1_000_000)],
      }),
    /weights between/,
  ],
  ["symbols that multiply", () => symbols(40, 8), /terms|limit/],
  ["symbols that add up", () => symbols(600, 2), /terms|limit/],
  [
    "more inputs than anybody gives",
    () =>
      model({
        inputs: Array.from({ length: 20_000 }, (_, i) => port(`x${i}`, "float32", [1])),
        outputs: [{ name: "x0" }],
      }),
    /limit "ports"/,
  ],
  [
    "a shape computed from data",
    () =>
      model({
        inputs: [port("x", "float32", [6]), port("s", "int64", [2])],
        outputs: [{ name: "y" }],
        nodes: [node("Reshape", ["x", "s"], ["y"])],
      }),
    /shapes are not known/,
  ],
  [
    "an Expand by data",
    () =>
      model({
        inputs: [port("x", "float32", [1]), port("s", "int64", [2])],
        outputs: [{ name: "y" }],
        nodes: [node("Expand", ["x", "s"], ["y"])],
      }),
    /shapes are not known/,
  ],
  [
    "a ConstantOfShape by data",
    () =>
      model({
        inputs: [port("s", "int64", [2])],
        outputs: [{ name: "y" }],
        nodes: [node("ConstantOfShape", ["s"], ["y"])],
      }),
    /shapes are not known/,
  ],
  [
    "a Tile by data",
    () =>
      model({
        inputs: [port("x", "float32", [1]), port("s", "int64", [1])],
        outputs: [{ name: "y" }],
        nodes: [node("Tile", ["x", "s"], ["y"])],
      }),
    /shapes are not known/,
  ],
  [
    "a Pad by data",
    () =>
      model({
        inputs: [port("x", "float32", [1]), port("s", "int64", [2])],
        outputs: [{ name: "y" }],
        nodes: [node("Pad", ["x", "s"], ["y"])],
      }),
    /shapes are not known/,
  ],
  [
    "a Slice by data",
    () =>
      model({
        inputs: [port("x", "float32", [9]), port("s", "int64", [1])],
        outputs: [{ name: "y" }],
        nodes: [node("Slice", ["x", "s", "s"], ["y"])],
      }),
    /shapes are not known/,
  ],
];

function range(start: number, limit: number, delta: number): Uint8Array {
  const part = (name: string, value: number): ReturnType<typeof weights> =>
    weights(name, "float64", [], [value]);
  return model({
    outputs: [{ name: "y" }],
    nodes: [node("Range", ["start", "limit", "delta"], ["y"])],
    initializers: [part("start", start), part("limit", limit), part("delta", delta)],
  });
}
