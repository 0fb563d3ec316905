// Tensors from what people have (numbers, nested lists, typed arrays) and back to plain numbers. Conversions only, no arithmetic.
import { DTYPES, type DType, type TensorData, type TypedArrayOf } from "./dtype.js";
import { fromFloat16Bits, toFloat16Bits } from "./float16.js";
import { Tensor } from "./tensor.js";

export type Nested = number | bigint | boolean | readonly Nested[];
type AnyTypedArray = TensorData | Int8Array | Uint8ClampedArray | Int16Array | Uint32Array;
/** Everything `toTensor` reads. */
export type TensorLike = Tensor | Nested | AnyTypedArray;

/**
 * A tensor of `value`. A typed array keeps its dtype (a Uint16Array is float16 bits), booleans are bool, bigints int64 and numbers float32, unless
 * `dtype` says otherwise. Lists give their own shape; `shape` reshapes. Throws a RangeError on ragged lists and on shapes that do not fit.
 */
export function toTensor<D extends DType = DType>(
  value: TensorLike,
  options: { dtype?: D; shape?: readonly number[] } = {},
): Tensor<D> {
  if (value instanceof Tensor) {
    const data =
      options.dtype && options.dtype !== value.dtype
        ? fromNumbers(options.dtype, toNumbers(value))
        : value.data;
    return new Tensor(
      options.dtype ?? (value.dtype as D),
      options.shape ?? value.shape,
      data as TypedArrayOf<D>,
    );
  }
  if (isTypedArray(value)) {
    const own = dtypeOfArray(value);
    const dtype = options.dtype ?? own;
    const shape = options.shape ?? [value.length];
    if (DTYPES[dtype].array === value.constructor && (dtype === own || dtype === "bool"))
      return new Tensor(dtype as D, shape, value as TypedArrayOf<D>);
    const numbers = own === "float16" ? Float64Array.from(value as Uint16Array, fromFloat16Bits) : value;
    return new Tensor(dtype as D, shape, fromNumbers(dtype, numbers) as TypedArrayOf<D>);
  }
  const flat: (number | bigint | boolean)[] = [];
  const shape = flatten(value, flat);
  const dtype =
    options.dtype ??
    (flat[0] === undefined
      ? "float32"
      : typeof flat[0] === "boolean"
        ? "bool"
        : typeof flat[0] === "bigint"
          ? "int64"
          : "float32");
  return new Tensor(dtype as D, options.shape ?? shape, fromNumbers(dtype, flat) as TypedArrayOf<D>);
}

/** The elements as numbers (int64 beyond 2^53 loses its last bits). */
export function toNumbers(tensor: Tensor): Float64Array {
  if (tensor.dtype === "float16") return Float64Array.from(tensor.data as Uint16Array, fromFloat16Bits);
  if (tensor.dtype === "int64") return Float64Array.from(tensor.data as BigInt64Array, Number);
  return Float64Array.from(tensor.data as Float32Array);
}

/** A typed array for `dtype` from numbers: integers drop the fraction, bool is "not zero". */
export function fromNumbers<D extends DType>(
  dtype: D,
  values: ArrayLike<number | bigint | boolean>,
): TypedArrayOf<D> {
  const out = new DTYPES[dtype].array(values.length) as TensorData;
  for (let i = 0; i < values.length; i++) {
    const value = values[i]!;
    if (out instanceof BigInt64Array) out[i] = typeof value === "bigint" ? value : toBigInt(Number(value));
    else if (dtype === "bool") out[i] = Number(value) !== 0 ? 1 : 0;
    else if (dtype === "float16") out[i] = toFloat16Bits(Number(value));
    else out[i] = Number(value);
  }
  return out as TypedArrayOf<D>;
}

function toBigInt(value: number): bigint {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : -(2n ** 63n);
}

function isTypedArray(value: unknown): value is AnyTypedArray {
  return ArrayBuffer.isView(value) && !(value instanceof DataView);
}

function dtypeOfArray(array: AnyTypedArray): DType {
  for (const dtype of Object.keys(DTYPES) as DType[])
    if (DTYPES[dtype].array === array.constructor) return dtype;
  if (array instanceof Int8Array || array instanceof Int16Array || array instanceof Uint8ClampedArray)
    return "int32";
  return "int64";
}

function flatten(value: Nested, out: (number | bigint | boolean)[]): number[] {
  if (!Array.isArray(value)) {
    out.push(value as number);
    return [];
  }
  let inner: number[] | undefined;
  for (const item of value as readonly Nested[]) {
    const shape = flatten(item, out);
    if (inner && (inner.length !== shape.length || inner.some((d, i) => d !== shape[i])))
      throw new RangeError(
        `tensor: the lists are ragged: one part has shape [${inner.join(",")}], another [${shape.join(",")}]`,
      );
    inner = shape;
  }
  return [value.length, ...(inner ?? [])];
}
