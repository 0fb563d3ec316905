// Convolutions and transposed convolutions over any number of axes; their gradients are convolutions too.
import { addDims, divideDims, mulDims, type Dim, type Shape } from "../dim.js";
import { GraphError } from "../error.js";
import { apply, type Expression } from "../expression.js";
import { SINGLE } from "../kernels.js";
import { count, dotProduct, eachIndex, Nd, stridesOf } from "../nd.js";
import { castTo, meet, toFloat, type Operand } from "../operand.js";
import { operator, tensorRow, type Attrs, type Cut, type Operator } from "../row.js";
import { printType, type Type } from "../shape.js";
import { byWeights, spaceAxes } from "./conv-weights.js";
import { bound } from "./pattern.js";
import {
  perAxis,
  slideShape,
  unslideShape,
  windowAttrs,
  type PerAxis,
  type WindowAttrs,
  type WindowOptions,
} from "./window.js";

const family = "conv" as const;

export interface ConvAttrs extends WindowAttrs {
  readonly group: number;
}
interface ConvTransposeAttrs extends ConvAttrs {
  readonly output_padding: readonly number[];
}

export interface ConvOptions extends WindowOptions {
  /** One number for each channel of the result. */
  readonly bias?: Operand;
  /** Channels are cut into so many groups that do not mix. */
  readonly groups?: number;
}

const windowKinds = { strides: "ints", pads: "ints", dilations: "ints", group: "int" } as const;

const convRow = tensorRow<ConvAttrs>({
  name: "conv",
  family,
  doc: "Slides the weights [out, in/groups, ...window] over the space of x [batch, in, ...space]; the window is not mirrored.",
  onnx: "Conv",
  attributes: windowKinds,
  kernels: SINGLE,
  infer: ([x, w, bias], attrs) => {
    const [channels, out] = [x!.shape[1]!, w!.shape[0]!];
    if (mulDims(w!.shape[1]!, attrs.group) !== channels)
      throw new GraphError(
        `conv: ${printType(x!)} has ${channels} channels, weights ${printType(w!)} in ${attrs.group} groups want ${mulDims(w!.shape[1]!, attrs.group)}; ` +
          `shapes are [batch, in, ...space] and [out, in/groups, ...window]`,
      );
    expectGroups("conv", out, attrs.group);
    expectBias("conv", bias, out);
    return [
      {
        dtype: x!.dtype,
        shape: [x!.shape[0]!, out, ...slideShape("conv", x!.shape.slice(2), w!.shape.slice(2), attrs)],
      },
    ];
  },
  flops: ({ inputs: [, w], outputs: [y] }) => 2 * count(bound(y!)) * count(bound(w!).slice(1)),
  gradient: ({ inputs: [x, w, bias], g, attrs }) => [
    byInput(g, w!, x!.shape, attrs),
    byWeights(x!, g, w!.shape, attrs),
    bias && byBias(g),
  ],
  evaluate: ([x, w, bias], attrs, { outputs: [out] }) => {
    const y = withBias(x!.dtype, bound(out!), bias);
    eachProduct(x!.shape, y.shape, w!.shape, attrs, (at, place, weight) => {
      y.data[place]! += x!.data[at]! * w!.data[weight]!;
    });
    return [y];
  },
  cuts: ({ inputs, attrs }) => {
    const rest = inputs.slice(2);
    const cuts: Cut[] = [{ inputs: [0, null, ...rest.map(() => null)], join: { concat: 0 } }];
    if (attrs.group === 1) cuts.push({ inputs: [null, 0, ...rest.map(() => 0)], join: { concat: 1 } });
    return cuts;
  },
});

/** Over 1, 2, 3 or more axes, as x has them. */
export const conv: Operator<(x: Operand, weights: Operand, options?: ConvOptions) => Expression> = operator(
  convRow,
  (operand: Operand, weights: Operand, { bias, groups = 1, ...window }: ConvOptions = {}) => {
    const inputs = convOperands("conv", operand, weights, bias);
    const [space, own] = [inputs[0]!.shape.slice(2), inputs[1]!.shape.slice(2)];
    return apply(convRow, inputs, { ...windowAttrs("conv", space, own, window), group: groups });
  },
);

const convTransposeRow = tensorRow<ConvTransposeAttrs>({
  name: "convTranspose",
  family,
  doc: "The reverse of a convolution, which enlarges space: each element of x [batch, in, ...space] adds the weights [in, out/groups, ...window], scaled, to the result.",
  onnx: "ConvTranspose",
  attributes: { ...windowKinds, output_padding: "ints" },
  kernels: SINGLE,
  infer: ([x, w, bias], attrs) => {
    const out = mulDims(w!.shape[1]!, attrs.group);
    if (w!.shape[0] !== x!.shape[1])
      throw new GraphError(
        `convTranspose: ${printType(x!)} has ${x!.shape[1]} channels, weights ${printType(w!)} want ${w!.shape[0]}; ` +
          `shapes are [batch, in, ...space] and [in, out/groups, ...window]`,
      );
    expectGroups("convTranspose", x!.shape[1]!, attrs.group);
    expectBias("convTranspose", bias, out);
    const space = unslideShape(x!.shape.slice(2), w!.shape.slice(2), attrs, attrs.output_padding);
    if (space.some((dim) => typeof dim === "number" && dim < 0))
      throw new GraphError(
        `convTranspose: of ${printType(x!)} and weights ${printType(w!)} the padding [${attrs.pads.join()}] leaves a space of [${space.join()}]; pad less`,
      );
    return [{ dtype: x!.dtype, shape: [x!.shape[0]!, out, ...space] }];
  },
  flops: ({ inputs: [x, w] }) => 2 * count(bound(x!)) * count(bound(w!).slice(1)),
  gradient: ({ inputs: [x, w, bias], g, attrs }) => [
    apply(convRow, [g, w!], own(attrs)),
    byWeights(g, x!, w!.shape, attrs),
    bias && byBias(g),
  ],
  evaluate: ([x, w, bias], attrs, { outputs: [out] }) => {
    const y = withBias(x!.dtype, bound(out!), bias);
    eachProduct(y.shape, x!.shape, w!.shape, attrs, (at, place, weight) => {
      y.data[at]! += x!.data[place]! * w!.data[weight]!;
    });
    return [y];
  },
  cuts: ({ inputs, attrs }) => {
    const rest = inputs.slice(2);
    const cuts: Cut[] = [{ inputs: [0, null, ...rest.map(() => null)], join: { concat: 0 } }];
    if (attrs.group === 1) cuts.push({ inputs: [null, 1, ...rest.map(() => 0)], join: { concat: 1 } });
    return cuts;
  },
});

export interface ConvTransposeOptions extends ConvOptions {
  /** So much longer at the end of each axis, where a stride leaves the length open. */
  readonly outputPadding?: PerAxis;
}

export const convTranspose: Operator<
  (x: Operand, weights: Operand, options?: ConvTransposeOptions) => Expression
> = operator(
  convTransposeRow,
  (
    operand: Operand,
    weights: Operand,
    { bias, groups = 1, outputPadding = 0, ...window }: ConvTransposeOptions = {},
  ) => {
    const inputs = convOperands("convTranspose", operand, weights, bias);
    const [space, size] = [inputs[0]!.shape.slice(2), inputs[1]!.shape.slice(2)];
    if (window.padding === "same")
      throw new GraphError(
        'convTranspose: padding "same" leaves the length open; give the padding in numbers, and outputPadding',
      );
    return apply(convTransposeRow, inputs, {
      ...windowAttrs("convTranspose", space, size, window),
      group: groups,
      output_padding: perAxis("convTranspose", "outputPadding", outputPadding, space.length, 0),
    });
  },
);

/** What reaches the input of a convolution: the transposed convolution, as long as the input was. */
function byInput(g: Expression, w: Expression, shape: Shape, attrs: ConvAttrs): Expression {
  const none = attrs.strides.map(() => 0);
  const least = unslideShape(g.shape.slice(2), w.shape.slice(2), attrs, none);
  return apply(convTransposeRow, [g, w], {
    ...own(attrs),
    output_padding: least.map((dim, i) => fixed(addDims(shape[i + 2]!, mulDims(dim, -1)))),
  });
}

function byBias(g: Expression): Expression {
  return g.sum([0, ...spaceAxes(g)]);
}

function own({ strides, pads, dilations, group }: ConvAttrs): Attrs {
  return { strides, pads, dilations, group };
}

function fixed(dim: Dim): number {
  if (typeof dim === "string") throw new Error(`a stride left over ${dim}, which the shape rule refuses`);
  return dim;
}

/** The operands in one float dtype, or an error that says which ranks fit. */
function convOperands(who: string, x: Operand, weights: Operand, bias: Operand | undefined): Expression[] {
  const [a, b] = meet(who, x, weights).map((each) => toFloat(who, each)) as [Expression, Expression];
  if (a.rank < 3 || a.rank !== b.rank)
    throw new GraphError(
      `${who}: ${printType(a.type)} and weights ${printType(b.type)}: both have a batch or channel axis, a channel axis, and the same one or more axes of space`,
    );
  return [a, b, ...(bias === undefined ? [] : [castTo(toFloat(who, bias), a.dtype)])];
}

function expectGroups(who: string, channels: Dim, groups: number): void {
  if (!Number.isInteger(groups) || groups < 1 || divideDims(channels, groups) === undefined)
    throw new GraphError(`${who}: ${channels} channels do not divide into ${groups} groups`);
}

function expectBias(who: string, bias: Type | undefined, channels: Dim): void {
  if (bias && (bias.shape.length !== 1 || bias.shape[0] !== channels))
    throw new GraphError(
      `${who}: the bias is ${printType(bias)}; it must be [${channels}], one for each channel of the result`,
    );
}

function withBias(dtype: Nd["dtype"], shape: readonly number[], bias: Nd | undefined): Nd {
  const y = Nd.zeros(dtype, shape);
  if (bias) {
    const inner = count(shape.slice(2));
    y.data.forEach((_, i) => (y.data[i] = bias.data[Math.floor(i / inner) % shape[1]!]!));
  }
  return y;
}

/** Every product of a convolution: where in the wide side, where in the slid side, and which weight [slid channels, wide channels / group, ...window]. */
function eachProduct(
  wide: readonly number[],
  slid: readonly number[],
  weights: readonly number[],
  { strides, pads, dilations, group }: ConvAttrs,
  visit: (wide: number, slid: number, weight: number) => void,
): void {
  const [steps, weightSteps] = [stridesOf(wide), stridesOf(weights)];
  const perGroup = slid[1]! / group;
  eachIndex(slid, ([n, m, ...place], slidAt) => {
    const first = Math.floor(m! / perGroup) * weights[1]!;
    eachIndex(weights.slice(2), (tap) => {
      const at = tap.map((k, i) => place[i]! * strides[i]! - pads[i]! + k * dilations[i]!);
      if (at.some((p, i) => p < 0 || p >= wide[i + 2]!)) return;
      const offset = n! * steps[0]! + dotProduct(at, steps.slice(2));
      const tapOffset = m! * weightSteps[0]! + dotProduct(tap, weightSteps.slice(2));
      for (let c = 0; c < weights[1]!; c++)
        visit(offset + (first + c) * steps[1]!, slidAt, tapOffset + c * weightSteps[1]!);
    });
  });
}

export { conv as conv1d, conv as conv2d, conv as conv3d };
