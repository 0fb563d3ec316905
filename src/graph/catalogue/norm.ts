// Normalisations: statistics over some axes, then a scale and a shift that are learned.
import { full } from "../creation.js";
import { sizeOf } from "../dim.js";
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { FLOATS, SINGLE } from "../kernels.js";
import { count, eachIndex, Nd } from "../nd.js";
import { meet, toFloat, type Operand } from "../operand.js";
import { compositionRow, operator, tensorRow, type Cut, type Operator } from "../row.js";
import { axesOf, axisOf, printType } from "../shape.js";
import { bound, elements } from "./pattern.js";
import {
  affine,
  axesFrom,
  byChannel,
  expectChannels,
  expectPerChannel,
  perChannel,
  shifted,
  standardized,
  standardizeNd,
  throughStandardized,
  type NormOptions,
} from "./standardize.js";

const family = "nn" as const;

type EpsilonAttrs = Readonly<Record<"epsilon", number>>;

const layerRow = tensorRow<EpsilonAttrs & Readonly<Record<"axis", number>>>({
  name: "layerNorm",
  family,
  doc: "Each example brought to mean 0 and variance 1 over the axes from `axis` on, then scaled and shifted.",
  onnx: "LayerNormalization",
  attributes: { axis: "int", epsilon: "float" },
  kernels: SINGLE,
  infer: ([x, scale, bias], { axis }) => {
    for (const [what, type] of [
      ["scale", scale],
      ["bias", bias],
    ] as const)
      if (type && type.shape.join() !== x!.shape.slice(axis).join())
        throw new GraphError(
          `layerNorm: the ${what} is ${printType(type)}; for ${printType(x!)} from axis ${axis} on it must be [${x!.shape.slice(axis).join(",")}]`,
        );
    return [x!];
  },
  flops: (io) => 8 * elements(io),
  gradient: ({ inputs: [x, scale, bias], g, attrs: { axis, epsilon } }) => {
    const axes = axesFrom(axis, x!.rank);
    const { normal, inverse } = standardized(x!, axes, epsilon);
    return [throughStandardized(normal, inverse, g.mul(scale!), axes), g.mul(normal), bias && g];
  },
  evaluate: ([x, scale, bias], { axis, epsilon }) => {
    const length = count(x!.shape.slice(axis));
    return [
      standardizeNd(
        x!,
        length,
        epsilon,
        (v, at) => v * scale!.data[at % length]! + (bias?.data[at % length] ?? 0),
      ),
    ];
  },
  cuts: ({ inputs, attrs: { axis } }) =>
    Array.from({ length: axis }, (_, at): Cut => ({
      inputs: inputs.map((_, i) => (i === 0 ? at : null)),
      join: { concat: at },
    })),
});
export const layerNorm: Operator<
  (x: Operand, options?: NormOptions & { readonly axis?: number }) => Expression
> = operator(
  layerRow,
  (operand: Operand, { axis = -1, epsilon = 1e-5, ...learned }: NormOptions & { axis?: number } = {}) => {
    const x = toFloat("layerNorm", operand);
    const at = axisOf("layerNorm", axis, x.rank);
    const [scale, bias] = affine("layerNorm", x, learned);
    if (x.dtype === "float64")
      return shifted(standardized(x, axesFrom(at, x.rank), epsilon).normal, scale, bias);
    const weight = scale ?? full([], 1, { dtype: x.dtype }).broadcastTo(x.shape.slice(at));
    return apply(layerRow, bias ? [x, weight, bias] : [x, weight], { axis: at, epsilon });
  },
);

const instanceRow = tensorRow<EpsilonAttrs>({
  name: "instanceNorm",
  family,
  doc: "Each channel of each example brought to mean 0 and variance 1, then scaled and shifted by channel; x is [batch, channels, ...].",
  onnx: "InstanceNormalization",
  attributes: { epsilon: "float" },
  kernels: SINGLE,
  infer: ([x, scale, bias]) => {
    expectChannels("instanceNorm", x!, 3);
    for (const type of [scale!, bias!]) expectPerChannel("instanceNorm", x!, type);
    return [x!];
  },
  flops: (io) => 8 * elements(io),
  gradient: ({ inputs: [x, scale], g, attrs: { epsilon } }) => {
    const axes = axesFrom(2, x!.rank);
    const { normal, inverse } = standardized(x!, axes, epsilon);
    const others = [0, ...axes];
    return [
      throughStandardized(normal, inverse, g.mul(perChannel(scale!, x!.rank, 1)), axes),
      g.mul(normal).sum(others),
      g.sum(others),
    ];
  },
  evaluate: ([x, scale, bias], { epsilon }) => {
    const length = count(x!.shape.slice(2));
    const channel = (at: number): number => Math.floor(at / length) % x!.shape[1]!;
    return [
      standardizeNd(x!, length, epsilon, (v, at) => v * scale!.data[channel(at)]! + bias!.data[channel(at)]!),
    ];
  },
  cuts: () => [
    { inputs: [0, null, null], join: { concat: 0 } },
    { inputs: [1, 0, 0], join: { concat: 1 } },
  ],
});
export const instanceNorm: Operator<(x: Operand, options?: NormOptions) => Expression> = operator(
  instanceRow,
  (operand: Operand, { epsilon = 1e-5, ...learned }: NormOptions = {}) => {
    const x = toFloat("instanceNorm", operand);
    expectChannels("instanceNorm", x.type, 3);
    const [scale, bias] = affine("instanceNorm", x, learned);
    if (x.dtype === "float64")
      return byChannel(standardized(x, axesFrom(2, x.rank), epsilon).normal, scale, bias, 1);
    const channels = [x.shape[1]!];
    return apply(
      instanceRow,
      [
        x,
        scale ?? full([], 1, { dtype: x.dtype }).broadcastTo(channels),
        bias ?? full([], 0, { dtype: x.dtype }).broadcastTo(channels),
      ],
      { epsilon },
    );
  },
);

export const groupNorm: Operator<(x: Operand, groups: number, options?: NormOptions) => Expression> =
  operator(
    compositionRow(
      "groupNorm",
      family,
      "Each group of channels of each example brought to mean 0 and variance 1, then scaled and shifted by channel; x is [batch, channels, ...].",
    ),
    (operand: Operand, groups: number, { epsilon = 1e-5, ...learned }: NormOptions = {}) => {
      const x = toFloat("groupNorm", operand);
      expectChannels("groupNorm", x.type, 2);
      const [batch, channels] = x.shape as [number, number];
      if (typeof channels !== "number" || !Number.isInteger(groups) || groups < 1 || channels % groups !== 0)
        throw new GraphError(
          `groupNorm: ${String(groups)} groups of the ${channels} channels of ${printType(x.type)}; the number of channels must be known, and a multiple of the groups`,
        );
      const each = sizeOf([channels / groups, ...x.shape.slice(2)]);
      const normal = x.reshape([batch, groups, each]).instanceNorm({ epsilon }).reshape(x.shape);
      const [scale, bias] = affine("groupNorm", x, learned);
      return byChannel(normal, scale, bias, 1);
    },
  );

const batchRow = tensorRow<EpsilonAttrs>({
  name: "batchNormInference",
  family,
  doc: "Batch normalisation by a given mean and variance of each channel; x is [batch, channels, ...].",
  onnx: "BatchNormalization",
  attributes: { epsilon: "float" },
  kernels: FLOATS,
  infer: ([x, ...learned]) => {
    expectChannels("batchNormInference", x!, 2);
    for (const type of learned) expectPerChannel("batchNormInference", x!, type);
    return [x!];
  },
  flops: (io) => 2 * elements(io),
  gradient: ({ inputs, g, attrs: { epsilon } }) => {
    const x = inputs[0]!;
    const [scale, , mean, variance] = inputs.slice(1).map((each) => perChannel(each, x.rank, 1));
    const others = axesFrom(0, x.rank).filter((axis) => axis !== 1);
    const inverse = variance!.add(epsilon).sqrt().reciprocal();
    const normal = x.sub(mean!).mul(inverse);
    const gx = g.mul(scale!.mul(inverse));
    return [
      gx,
      g.mul(normal).sum(others),
      g.sum(others),
      gx.sum(others).neg(),
      g
        .mul(normal)
        .sum(others)
        .mul(scale!.mul(inverse).mul(inverse).mul(-0.5).reshape([-1])),
    ];
  },
  evaluate: ([x, scale, bias, mean, variance], { epsilon }) => {
    const out = Nd.zeros(x!.dtype, x!.shape);
    eachIndex(x!.shape, (index, flat) => {
      const c = index[1]!;
      out.data[flat] =
        ((x!.data[flat]! - mean!.data[c]!) / Math.sqrt(variance!.data[c]! + epsilon)) * scale!.data[c]! +
        bias!.data[c]!;
    });
    return [out];
  },
  cuts: ({ inputs: [x] }) =>
    bound(x!).map((_, axis) => ({
      inputs: axis === 1 ? [1, 0, 0, 0, 0] : [axis, null, null, null, null],
      join: { concat: axis },
    })),
});
export const batchNormInference: Operator<
  (
    x: Operand,
    scale: Operand,
    bias: Operand,
    mean: Operand,
    variance: Operand,
    epsilon?: number,
  ) => Expression
> = operator(
  batchRow,
  (x: Operand, scale: Operand, bias: Operand, mean: Operand, variance: Operand, epsilon = 1e-5) =>
    apply(
      batchRow,
      meet("batchNormInference", x, scale, bias, mean, variance).map((each) =>
        toFloat("batchNormInference", each),
      ),
      { epsilon },
    ),
);

/** The mean and the variance (of the population) by channel: what running averages of a batch normalisation are made of. */
export const channelMoments: Operator<(x: Operand, axis?: number) => readonly [Expression, Expression]> =
  operator(
    compositionRow(
      "channelMoments",
      family,
      "The mean and the variance over all axes but that of the channels.",
    ),
    (operand: Operand, axis = 1) => {
      const x = toFloat("channelMoments", operand);
      const at = axisOf("channelMoments", axis, x.rank);
      const others = axesFrom(0, x.rank).filter((each) => each !== at);
      const mean = x.mean(others, { keepdims: true });
      const centred = x.sub(mean);
      return [mean.reshape([-1]), centred.mul(centred).mean(others)] as const;
    },
  );
export const batchNorm: Operator<
  (x: Operand, options?: NormOptions & { readonly axis?: number }) => Expression
> = operator(
  compositionRow(
    "batchNorm",
    family,
    "Batch normalisation by the batch's own statistics, as in training: each channel brought to mean 0 and variance 1, then scaled and shifted.",
  ),
  (operand: Operand, { axis = 1, epsilon = 1e-5, ...learned }: NormOptions & { axis?: number } = {}) => {
    const x = toFloat("batchNorm", operand);
    const at = axisOf("batchNorm", axis, x.rank);
    const [scale, bias] = affine("batchNorm", x, learned);
    const { normal } = standardized(
      x,
      axesFrom(0, x.rank).filter((each) => each !== at),
      epsilon,
    );
    return byChannel(normal, scale, bias, at);
  },
);

export const rmsNorm: Operator<
  (x: Operand, options?: Omit<NormOptions, "bias"> & { readonly axis?: number }) => Expression
> = operator(
  compositionRow(
    "rmsNorm",
    family,
    "Each example divided by its root mean square over the axes from `axis` on, then scaled.",
  ),
  (operand: Operand, { axis = -1, epsilon = 1e-5, scale }: NormOptions & { axis?: number } = {}) => {
    const x = toFloat("rmsNorm", operand);
    const axes = axesFrom(axisOf("rmsNorm", axis, x.rank), x.rank);
    const normal = x.mul(x.mul(x).mean(axes, { keepdims: true }).add(epsilon).sqrt().reciprocal());
    return shifted(normal, scale === undefined ? undefined : affine("rmsNorm", x, { scale })[0]);
  },
);

export const l2Normalize: Operator<
  (x: Operand, axis?: number | readonly number[], epsilon?: number) => Expression
> = operator(
  compositionRow(
    "l2Normalize",
    family,
    "x divided by its Euclidean length along axes; epsilon keeps a zero vector zero.",
  ),
  (operand: Operand, axis: number | readonly number[] = -1, epsilon = 1e-12) => {
    const x = toFloat("l2Normalize", operand);
    const squares = x.mul(x).sum(axesOf("l2Normalize", axis, x.rank), { keepdims: true });
    return x.div(squares.add(epsilon).sqrt());
  },
);
