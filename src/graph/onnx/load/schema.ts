// How many inputs and outputs ONNX's operators have. For those not named here the catalogue's rows decide alone.

/** `least most outputs`; `*` for any number. One line for each signature. */
const SIGNATURES: Readonly<Record<string, string>> = {
  "1 1 1":
    "Abs Acos Acosh Asin Asinh Atan Atanh BitwiseNot Cast Ceil Celu Cos Cosh DepthToSpace Det Elu Erf Exp EyeLike Flatten Floor Gelu " +
    "GlobalAveragePool GlobalMaxPool GlobalLpPool HardSigmoid HardSwish Hardmax Identity IsInf IsNaN LeakyRelu Log LogSoftmax " +
    "LpNormalization LpPool AveragePool LRN MeanVarianceNormalization Mish Neg NonZero Not Reciprocal Relu Round Selu Shape Shrink " +
    "Sigmoid Sign Sin Sinh Size Softmax Softplus Softsign SpaceToDepth Sqrt Swish Tan Tanh ThresholdedRelu Transpose ArgMax ArgMin ConstantOfShape",
  "2 2 1":
    "Add And BitShift BitwiseAnd BitwiseOr BitwiseXor Div Equal Gather GatherElements GatherND Greater GreaterOrEqual " +
    "Less LessOrEqual MatMul Mod Mul Or PRelu Pow Sub Xor Reshape Tile Expand CumSum RMSNormalization GridSample",
  "1 2 1":
    "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare Squeeze Trilu",
  "2 2 2": "TopK",
  "1 1 2": "MaxPool",
  "1 2 *": "Split",
  "1 1 4": "Unique",
  "1 3 1": "Clip",
  "1 3 2": "Dropout",
  "1 4 1": "Resize",
  "1 * 1": "Concat Einsum Max Min Mean Sum",
  "2 3 1": "Conv ConvTranspose Gemm Unsqueeze",
  "2 3 3": "LayerNormalization",
  "2 4 1": "Pad",
  "2 * *": "Loop",
  "1 1 *": "If",
  "3 3 1": "Where Range OneHot InstanceNormalization GroupNormalization ScatterND ScatterElements",
  "3 5 1": "Slice",
  "5 5 3": "BatchNormalization",
  "0 0 1": "Constant",
};

export interface Arity {
  readonly least: number;
  readonly most: number;
  readonly outputs: number;
}

function number(text: string): number {
  return text === "*" ? Infinity : Number(text);
}

const ARITIES: ReadonlyMap<string, Arity> = new Map(
  Object.entries(SIGNATURES).flatMap(([signature, operators]) => {
    const [least, most, outputs] = signature.split(" ").map(number) as [number, number, number];
    return operators.split(" ").map((name) => [name, { least, most, outputs }] as const);
  }),
);

export function arityOf(operator: string): Arity | undefined {
  return ARITIES.get(operator);
}

/** What ONNX takes an attribute to be when a model leaves it out. */
export const DEFAULTS: Readonly<Record<string, Readonly<Record<string, number | string>>>> = {
  ArgMax: { axis: 0, keepdims: 1, select_last_index: 0 },
  ArgMin: { axis: 0, keepdims: 1, select_last_index: 0 },
  AveragePool: { auto_pad: "NOTSET", ceil_mode: 0, count_include_pad: 0 },
  BatchNormalization: { epsilon: 1e-5, momentum: 0.9, training_mode: 0 },
  Cast: { saturate: 1, round_mode: "up" },
  Celu: { alpha: 1 },
  Conv: { auto_pad: "NOTSET", group: 1 },
  ConvTranspose: { auto_pad: "NOTSET", group: 1 },
  CumSum: { exclusive: 0, reverse: 0 },
  DepthToSpace: { mode: "DCR" },
  Elu: { alpha: 1 },
  Gather: { axis: 0 },
  GatherElements: { axis: 0 },
  GatherND: { batch_dims: 0 },
  Gelu: { approximate: "none" },
  Gemm: { alpha: 1, beta: 1, transA: 0, transB: 0 },
  HardSigmoid: { alpha: 0.2, beta: 0.5 },
  Hardmax: { axis: -1 },
  InstanceNormalization: { epsilon: 1e-5 },
  IsInf: { detect_negative: 1, detect_positive: 1 },
  LayerNormalization: { axis: -1, epsilon: 1e-5, stash_type: 1 },
  LeakyRelu: { alpha: 0.01 },
  LogSoftmax: { axis: -1 },
  LpNormalization: { axis: -1, p: 2 },
  MaxPool: { auto_pad: "NOTSET", ceil_mode: 0, storage_order: 0 },
  Mod: { fmod: 0 },
  OneHot: { axis: -1 },
  Pad: { mode: "constant" },
  Resize: {
    antialias: 0,
    coordinate_transformation_mode: "half_pixel",
    cubic_coeff_a: -0.75,
    exclude_outside: 0,
    extrapolation_value: 0,
    keep_aspect_ratio_policy: "stretch",
    mode: "nearest",
    nearest_mode: "round_prefer_floor",
  },
  ScatterElements: { axis: 0, reduction: "none" },
  ScatterND: { reduction: "none" },
  Selu: { alpha: 1.67326319217681884765625, gamma: 1.05070102214813232421875 },
  Shrink: { bias: 0, lambd: 0.5 },
  Softmax: { axis: -1 },
  Swish: { alpha: 1 },
  ThresholdedRelu: { alpha: 1 },
  TopK: { axis: -1, largest: 1, sorted: 1 },
  Trilu: { upper: 1 },
  Unique: { sorted: 1 },
  ...Object.fromEntries(
    "ReduceSum ReduceMean ReduceMax ReduceMin ReduceProd ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceSumSquare"
      .split(" ")
      .map((name) => [name, { keepdims: 1, noop_with_empty_axes: 0 }]),
  ),
};
