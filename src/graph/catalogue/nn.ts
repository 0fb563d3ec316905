// Activations: one ONNX operator each where there is one, else a composition. Normalised exponentials; the dense layer.
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { FLOATS, SINGLE } from "../kernels.js";
import { count, mapBroadcast, Nd } from "../nd.js";
import { meet, toFloat, type Operand } from "../operand.js";
import {
  compositionRow,
  operator,
  tensorRow,
  type AttrKind,
  type Attrs,
  type Backward,
  type Operator,
} from "../row.js";
import { axisOf, broadcast, printType, sameShape } from "../shape.js";
import { bound, elements, elementwiseCuts, unary, type Unary } from "./pattern.js";

const family = "nn" as const;

export const relu: Unary = unary("relu", "Relu", {
  family,
  doc: "max(x, 0); its gradient at 0 is 0.",
  f: (x) => Math.max(x, 0),
  gradient: ({ y, g }) => [g.mul(y.greater(0).cast(g.dtype))],
});
export const sigmoid: Unary = unary("sigmoid", "Sigmoid", {
  family,
  doc: "1 / (1 + exp(-x)).",
  f: (x) => 1 / (1 + Math.exp(-x)),
  flops: 10,
  gradient: ({ y, g }) => [g.mul(y).mul(y.neg().add(1))],
});

/** An activation and its settings, each with a default. */
type Activation<A> = Operator<(x: Operand, options?: Partial<A>) => Expression>;

interface ActivationSpec<A> {
  readonly doc: string;
  readonly attributes?: Readonly<Record<keyof A & string, AttrKind>>;
  readonly defaults: A;
  /** One element, in float64. */
  readonly f: (x: number, attrs: A) => number;
  readonly gradient: (backward: Backward<A> & { readonly x: Expression }) => Expression;
  /** The same from other rows, for float64, in which no engine has these operators; undefined: refused. */
  readonly composed: (x: Expression, attrs: A) => Expression | undefined;
}

/** The row of an ONNX activation. */
function activation<A extends Attrs>(name: string, onnx: string, spec: ActivationSpec<A>): Activation<A> {
  const { doc, attributes, defaults, f, gradient, composed } = spec;
  const row = tensorRow<A>({
    name,
    family,
    doc,
    onnx,
    ...(attributes && { attributes }),
    kernels: SINGLE,
    infer: ([x]) => [x!],
    flops: (io) => 10 * elements(io),
    gradient: (backward) => [gradient({ ...backward, x: backward.inputs[0]! })],
    evaluate: ([x], attrs) => [mapBroadcast(x!.dtype, x!.shape, [x!], (v) => f(v, attrs))],
    cuts: elementwiseCuts,
  });
  return operator(row, (operand: Operand, options: Partial<A> = {}) => {
    const x = toFloat(name, operand);
    const attrs: A = { ...defaults, ...options };
    return (x.dtype === "float64" ? composed(x, attrs) : undefined) ?? apply(row, [x], attrs);
  });
}

type Alpha = Readonly<Record<"alpha", number>>;
type Line = Readonly<Record<"alpha" | "beta", number>>;
const alphaOnly = { alpha: "float" } as const;
type None = Record<never, never>;

export const leakyRelu: Activation<Alpha> = activation("leakyRelu", "LeakyRelu", {
  doc: "x where it is positive, alpha * x elsewhere.",
  attributes: alphaOnly,
  defaults: { alpha: 0.01 },
  f: (x, { alpha }) => (x > 0 ? x : alpha * x),
  gradient: ({ x, g, attrs }) => x.greater(0).where(g, g.mul(attrs.alpha)),
  composed: (x, { alpha }) => x.greater(0).where(x, x.mul(alpha)),
});
export const elu: Activation<Alpha> = activation("elu", "Elu", {
  doc: "x where it is positive, alpha * (exp(x) - 1) elsewhere.",
  attributes: alphaOnly,
  defaults: { alpha: 1 },
  f: (x, { alpha }) => (x > 0 ? x : alpha * Math.expm1(x)),
  gradient: ({ x, y, g, attrs }) => x.greater(0).where(g, g.mul(y.add(attrs.alpha))),
  composed: (x, { alpha }) => x.greater(0).where(x, x.minimum(0).exp().sub(1).mul(alpha)),
});
export const selu: Activation<Readonly<Record<"alpha" | "gamma", number>>> = activation("selu", "Selu", {
  doc: "The self-normalising elu: gamma * elu(x, alpha).",
  attributes: { alpha: "float", gamma: "float" },
  defaults: { alpha: 1.6732632423543772, gamma: 1.0507009873554805 },
  f: (x, { alpha, gamma }) => gamma * (x > 0 ? x : alpha * Math.expm1(x)),
  gradient: ({ x, y, g, attrs: { alpha, gamma } }) => g.mul(x.greater(0).where(gamma, y.add(alpha * gamma))),
  composed: (x, { alpha, gamma }) => x.elu({ alpha }).mul(gamma),
});
export const celu: Activation<Alpha> = activation("celu", "Celu", {
  doc: "x where it is positive, alpha * (exp(x / alpha) - 1) elsewhere.",
  attributes: alphaOnly,
  defaults: { alpha: 1 },
  f: (x, { alpha }) => (x > 0 ? x : alpha * Math.expm1(x / alpha)),
  gradient: ({ x, y, g, attrs }) => x.greater(0).where(g, g.mul(y.div(attrs.alpha).add(1))),
  composed: (x, { alpha }) => x.greater(0).where(x, x.minimum(0).div(alpha).exp().sub(1).mul(alpha)),
});
export const softplus: Activation<None> = activation("softplus", "Softplus", {
  doc: "log(1 + exp(x)), without overflow.",
  defaults: {},
  f: (x) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x))),
  gradient: ({ x, g }) => g.mul(x.sigmoid()),
  composed: (x) => x.relu().add(x.abs().neg().exp().add(1).log()),
});
export const softsign: Activation<None> = activation("softsign", "Softsign", {
  doc: "x / (1 + |x|).",
  defaults: {},
  f: (x) => x / (1 + Math.abs(x)),
  gradient: ({ x, g }) => {
    const scale = x.abs().add(1);
    return g.div(scale.mul(scale));
  },
  composed: (x) => x.div(x.abs().add(1)),
});
export const hardSigmoid: Activation<Line> = activation("hardSigmoid", "HardSigmoid", {
  doc: "alpha * x + beta, held between 0 and 1; PyTorch's alpha of 1/6 unless told.",
  attributes: { alpha: "float", beta: "float" },
  defaults: { alpha: 1 / 6, beta: 0.5 },
  f: (x, { alpha, beta }) => Math.max(0, Math.min(1, alpha * x + beta)),
  gradient: ({ y, g, attrs }) => y.greater(0).where(y.less(1).where(g.mul(attrs.alpha), 0), 0),
  composed: (x, { alpha, beta }) => x.mul(alpha).add(beta).maximum(0).minimum(1),
});
export const hardSwish: Activation<None> = activation("hardSwish", "HardSwish", {
  doc: "x * hardSigmoid(x).",
  defaults: {},
  f: (x) => x * Math.max(0, Math.min(1, x / 6 + 0.5)),
  gradient: ({ x, g }) =>
    g.mul(
      x
        .abs()
        .less(3)
        .where(x.mul(1 / 3).add(0.5), x.greater(0).cast(x.dtype)),
    ),
  composed: (x) => x.mul(x.hardSigmoid()),
});
export const thresholdedRelu: Activation<Alpha> = activation("thresholdedRelu", "ThresholdedRelu", {
  doc: "x where it is above alpha, 0 elsewhere.",
  attributes: alphaOnly,
  defaults: { alpha: 1 },
  f: (x, { alpha }) => (x > alpha ? x : 0),
  gradient: ({ x, g, attrs }) => x.greater(attrs.alpha).where(g, 0),
  composed: (x, { alpha }) => x.greater(alpha).where(x, 0),
});
export const mish: Activation<None> = activation("mish", "Mish", {
  doc: "x * tanh(softplus(x)).",
  defaults: {},
  f: (x) => x * Math.tanh(Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)))),
  gradient: ({ x, g }) => {
    const t = x.softplus().tanh();
    return g.mul(t.add(x.mul(x.sigmoid()).mul(t.mul(t).neg().add(1))));
  },
  composed: (x) => x.mul(x.softplus().tanh()),
});

const preluRow = tensorRow({
  name: "prelu",
  family,
  doc: "x where it is positive, slope * x elsewhere; the slope is learned and broadcasts to x.",
  onnx: "PRelu",
  kernels: SINGLE,
  infer: ([x, slope]) => {
    if (!sameShape(broadcast("prelu", x!.shape, slope!.shape), x!.shape))
      throw new GraphError(
        `prelu: the slope is ${printType(slope!)}; it does not broadcast to ${printType(x!)}`,
      );
    return [x!];
  },
  flops: elements,
  gradient: ({ inputs: [x, slope], g }) => {
    const positive = x!.greater(0);
    return [positive.where(g, g.mul(slope!)), positive.where(0, g.mul(x!))];
  },
  evaluate: (inputs, _, { outputs: [out] }) => [
    mapBroadcast(out!.dtype, bound(out!), inputs, (x, slope) => (x! > 0 ? x! : x! * slope!)),
  ],
  cuts: elementwiseCuts,
});
export const prelu: Operator<(x: Operand, slope: Operand) => Expression> = operator(
  preluRow,
  (operand: Operand, by: Operand) => {
    const [x, slope] = meet("prelu", operand, by).map((each) => toFloat("prelu", each)) as [
      Expression,
      Expression,
    ];
    return x.dtype === "float64" ? x.greater(0).where(x, x.mul(slope)) : apply(preluRow, [x, slope]);
  },
);

/** An activation written with others. */
function composed(name: string, doc: string, f: (x: Expression) => Expression): Unary {
  return operator(compositionRow(name, family, doc), (x: Operand) => f(toFloat(name, x)));
}

// ONNX Runtime fuses x * sigmoid(x) into an operator that has no float64 kernel, and then refuses its own model.
export const silu: Unary = composed("silu", "x * sigmoid(x), also called swish.", (x) =>
  x.dtype === "float64" ? x.div(x.neg().exp().add(1)) : x.mul(x.sigmoid()),
);
export const relu6: Unary = composed("relu6", "x held between 0 and 6.", (x) => x.relu().minimum(6));
export const logSigmoid: Unary = composed("logSigmoid", "log(sigmoid(x)), without overflow.", (x) =>
  x.neg().softplus().neg(),
);
export const tanhShrink: Unary = composed("tanhShrink", "x - tanh(x).", (x) => x.sub(x.tanh()));
export const hardTanh: Operator<(x: Operand, low?: number, high?: number) => Expression> = operator(
  compositionRow("hardTanh", family, "x held between two limits, -1 and 1 unless told."),
  (x: Operand, low = -1, high = 1) => toFloat("hardTanh", x).maximum(low).minimum(high),
);
export const hardShrink: Operator<(x: Operand, lambda?: number) => Expression> = operator(
  compositionRow("hardShrink", family, "x where |x| is above lambda (0.5 unless told), 0 elsewhere."),
  (operand: Operand, lambda = 0.5) => {
    const x = toFloat("hardShrink", operand);
    return x.abs().greater(lambda).where(x, 0);
  },
);
export const softShrink: Operator<(x: Operand, lambda?: number) => Expression> = operator(
  compositionRow(
    "softShrink",
    family,
    "x moved towards 0 by lambda (0.5 unless told), and no further than 0.",
  ),
  (operand: Operand, lambda = 0.5) => {
    const x = toFloat("softShrink", operand);
    return x.sub(x.maximum(-lambda).minimum(lambda));
  },
);
export const glu: Operator<(x: Operand, axis?: number) => Expression> = operator(
  compositionRow(
    "glu",
    family,
    "The gated linear unit: a * sigmoid(b) for the halves a and b along an axis.",
  ),
  (operand: Operand, axis = -1) => {
    const x = toFloat("glu", operand);
    const at = axisOf("glu", axis, x.rank);
    const length = x.shape[at]!;
    if (typeof length !== "number" || length % 2 !== 0)
      throw new GraphError(
        `glu: axis ${at} of ${printType(x.type)} has length ${length}; it must be a known even number`,
      );
    const half = length / 2;
    return x.slice([0], [half], [at]).mul(x.slice([half], [length], [at]).sigmoid());
  },
);

export const linear: Operator<(x: Operand, weight: Operand, bias?: Operand) => Expression> = operator(
  compositionRow("linear", family, "The dense layer: x matmul weight + bias, the weight being [in, out]."),
  (operand: Operand, weight: Operand, bias?: Operand) => {
    const y = toFloat("linear", operand).matmul(weight);
    return bias === undefined ? y : y.add(bias);
  },
);

type Softmax = Operator<(x: Operand, axis?: number) => Expression>;
interface AxisAttrs {
  readonly axis: number;
}

function normaliser(
  name: string,
  onnx: string,
  doc: string,
  end: (shifted: number, logTotal: number) => number,
  gradient: (backward: Backward<AxisAttrs>) => Expression,
): Softmax {
  const row = tensorRow<AxisAttrs>({
    name,
    family,
    doc,
    onnx,
    attributes: { axis: "int" },
    kernels: FLOATS,
    infer: ([x]) => [x!],
    flops: (io) => 12 * elements(io),
    gradient: (backward) => [gradient(backward)],
    evaluate: ([x], { axis }) => [alongAxis(x!, axis, end)],
    cuts: ({ inputs: [x], attrs }) =>
      x!.shape.flatMap((_, axis) => (axis === attrs.axis ? [] : { inputs: [axis], join: { concat: axis } })),
  });
  return operator(row, (operand: Operand, axis = -1) => {
    const x = toFloat(name, operand);
    return apply(row, [x], { axis: axisOf(name, axis, x.rank) });
  });
}

export const softmax: Softmax = normaliser(
  "softmax",
  "Softmax",
  "exp(x) over its sum along an axis.",
  (x, log) => Math.exp(x - log),
  ({ y, g, attrs: { axis } }) => {
    const gy = g.mul(y);
    return gy.sub(y.mul(gy.sum(axis, { keepdims: true })));
  },
);
export const logSoftmax: Softmax = normaliser(
  "logSoftmax",
  "LogSoftmax",
  "The logarithm of softmax, computed without overflow.",
  (x, log) => x - log,
  ({ y, g, attrs: { axis } }) => g.sub(y.exp().mul(g.sum(axis, { keepdims: true }))),
);

export const softmin: Softmax = operator(
  compositionRow("softmin", family, "softmax(-x) along an axis."),
  (x: Operand, axis = -1) => toFloat("softmin", x).neg().softmax(axis),
);

function alongAxis(x: Nd, axis: number, end: (shifted: number, logTotal: number) => number): Nd {
  const out = Nd.zeros(x.dtype, x.shape);
  const length = x.shape[axis]!;
  const inner = count(x.shape.slice(axis + 1));
  for (let start = 0; start < x.data.length; start += length * inner)
    for (let i = start; i < start + inner; i++) {
      let top = -Infinity;
      for (let j = 0; j < length; j++) top = Math.max(top, x.data[i + j * inner]!);
      let total = 0;
      for (let j = 0; j < length; j++) total += Math.exp(x.data[i + j * inner]! - top);
      for (let j = 0; j < length; j++)
        out.data[i + j * inner] = end(x.data[i + j * inner]! - top, Math.log(total));
    }
  return out;
}

export { silu as swish, linear as dense };
