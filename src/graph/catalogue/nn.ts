// Activations: one ONNX operator each (those without one: activations.ts). The dense layer, the embedding.
import { erf } from "../erf.js";
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { SINGLE } from "../kernels.js";
import { mapBroadcast } from "../nd.js";
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
import { broadcast, printType, sameShape } from "../shape.js";
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
  /** The same from other rows, for float64, in which no engine has these operators. */
  readonly composed: (x: Expression, attrs: A) => Expression;
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
    return x.dtype === "float64" ? composed(x, attrs) : apply(row, [x], attrs);
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

const [INVERSE_ROOT2, GELU_SLOPE, GELU_CUBE] = [Math.SQRT1_2, Math.sqrt(2 / Math.PI), 0.044715];
type Gelu = Readonly<Record<"approximate", "none" | "tanh">>;
export const gelu: Activation<Gelu> = activation<Gelu>("gelu", "Gelu", {
  doc: 'x times the probability that a normal variable is below x; { approximate: "tanh" } is BERT\'s approximation.',
  attributes: { approximate: "string" },
  defaults: { approximate: "none" },
  f: (x, { approximate }) =>
    0.5 *
    x *
    (1 +
      (approximate === "tanh" ? Math.tanh(GELU_SLOPE * (x + GELU_CUBE * x ** 3)) : erf(x * INVERSE_ROOT2))),
  gradient: ({ x, g, attrs }) => {
    const square = x.mul(x);
    if (attrs.approximate === "none") {
      const below = x.mul(INVERSE_ROOT2).erf().add(1).mul(0.5);
      const density = square
        .mul(-0.5)
        .exp()
        .mul(0.5 * GELU_SLOPE);
      return g.mul(below.add(x.mul(density)));
    }
    const t = geluTanh(x);
    const slope = square
      .mul(3 * GELU_CUBE)
      .add(1)
      .mul(GELU_SLOPE);
    return g.mul(
      t
        .add(1)
        .add(x.mul(t.mul(t).neg().add(1)).mul(slope))
        .mul(0.5),
    );
  },
  composed: (x, { approximate }) =>
    x.mul((approximate === "tanh" ? geluTanh(x) : x.mul(INVERSE_ROOT2).erf()).add(1)).mul(0.5),
});

function geluTanh(x: Expression): Expression {
  return x.mul(x).mul(x).mul(GELU_CUBE).add(x).mul(GELU_SLOPE).tanh();
}

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

export const linear: Operator<(x: Operand, weight: Operand, bias?: Operand) => Expression> = operator(
  compositionRow("linear", family, "The dense layer: x matmul weight + bias, the weight being [in, out]."),
  (operand: Operand, weight: Operand, bias?: Operand) => {
    const y = toFloat("linear", operand).matmul(weight);
    return bias === undefined ? y : y.add(bias);
  },
);

export const embedding: Operator<(table: Operand, indices: Operand) => Expression> = operator(
  compositionRow(
    "embedding",
    family,
    "The rows of a table [entries, width] at integer indices; what is asked for twice learns twice.",
  ),
  (operand: Operand, indices: Operand) => {
    const table = toFloat("embedding", operand);
    if (table.rank !== 2)
      throw new GraphError(`embedding: the table is ${printType(table.type)}; it must be [entries, width]`);
    return table.take(indices, 0);
  },
);

export {
  glu,
  hardShrink,
  hardTanh,
  logSigmoid,
  relu6,
  silu,
  silu as swish,
  softShrink,
  tanhShrink,
} from "./activations.js";
export { logSoftmax, softmax, softmin } from "./softmax.js";
export { linear as dense };
