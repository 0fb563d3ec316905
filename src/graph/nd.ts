// Values of the reference interpreter: every dtype held in float64 (int64 is exact to 2^53). Loops that rows share.
import { fromNumbers, toNumbers, Tensor, type DType } from "../tensor/index.js";

/** A dense row-major array of the interpreter. Its dtype says how the numbers are meant; floats keep float64's precision. */
export class Nd {
  constructor(
    readonly dtype: DType,
    readonly shape: readonly number[],
    readonly data: Float64Array,
  ) {}

  static zeros(dtype: DType, shape: readonly number[]): Nd {
    return new Nd(dtype, shape, new Float64Array(count(shape)));
  }

  static fromTensor(tensor: Tensor): Nd {
    return new Nd(tensor.dtype, tensor.shape, toNumbers(tensor));
  }

  toTensor(): Tensor {
    return new Tensor(this.dtype, this.shape, fromNumbers(this.dtype, this.data));
  }

  get strides(): number[] {
    return stridesOf(this.shape);
  }
}

export function count(shape: readonly number[]): number {
  return shape.reduce((a, b) => a * b, 1);
}

export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let step = 1;
  for (let i = shape.length - 1; i >= 0; i--) {
    strides[i] = step;
    step *= shape[i]!;
  }
  return strides;
}

/** Visits every index of `shape` in row-major order; the array passed is reused. */
export function eachIndex(
  shape: readonly number[],
  visit: (index: readonly number[], flat: number) => void,
): void {
  const total = count(shape);
  const index = new Array<number>(shape.length).fill(0);
  for (let flat = 0; flat < total; flat++) {
    visit(index, flat);
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      if (++index[axis]! < shape[axis]!) break;
      index[axis] = 0;
    }
  }
}

/** Strides with which `shape` is read as if broadcast to `out`. */
export function broadcastStrides(shape: readonly number[], out: readonly number[]): number[] {
  const strides = stridesOf(shape);
  return out.map((_, i) => {
    const axis = i - out.length + shape.length;
    return axis < 0 || shape[axis] === 1 ? 0 : strides[axis]!;
  });
}

export function dotProduct(a: readonly number[], b: readonly number[]): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

/** `f` over inputs broadcast to `shape`, rounded to `dtype` where that is an integer. */
export function mapBroadcast(
  dtype: DType,
  shape: readonly number[],
  inputs: readonly Nd[],
  f: (...values: number[]) => number,
): Nd {
  const out = Nd.zeros(dtype, shape);
  const wrap = wrapTo(dtype);
  const strides = inputs.map((input) => broadcastStrides(input.shape, shape));
  const values = new Array<number>(inputs.length);
  eachIndex(shape, (index, flat) => {
    for (let i = 0; i < inputs.length; i++) values[i] = inputs[i]!.data[dotProduct(index, strides[i]!)]!;
    out.data[flat] = wrap(f(...values));
  });
  return out;
}

/** How a number becomes an element of `dtype`: integers wrap as the engines' do, floats stay float64. */
export function wrapTo(dtype: DType): (value: number) => number {
  switch (dtype) {
    case "int32":
      return (v) => Math.trunc(v) | 0;
    case "uint8":
      return (v) => Math.trunc(v) & 255;
    case "int64":
      return Math.trunc;
    case "bool":
      return (v) => (v !== 0 ? 1 : 0);
    default:
      return (v) => v;
  }
}
