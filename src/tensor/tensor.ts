// The Tensor value: dtype, shape and a typed array, row-major. It computes nothing; graphs do.
import { DTYPES, dtypeFromOnnx, type DType, type TypedArrayOf } from "./dtype.js";

/** An immutable dense array in row-major order. `shape` is [] for a scalar; `data.length` is the product of `shape`. */
export class Tensor<D extends DType = DType> {
  readonly size: number;

  /** Throws a RangeError when `data` has not as many elements as `shape` says, a TypeError when its type does not fit `dtype`. */
  constructor(
    readonly dtype: D,
    readonly shape: readonly number[],
    readonly data: TypedArrayOf<D>,
  ) {
    for (const dim of shape)
      if (!Number.isInteger(dim) || dim < 0)
        throw new RangeError(
          `tensor: shape [${shape.join(",")}] holds ${dim}; dimensions are whole numbers from 0`,
        );
    this.size = shape.reduce((a, b) => a * b, 1);
    if (!(data instanceof DTYPES[dtype].array))
      throw new TypeError(
        `tensor: ${dtype} needs a ${DTYPES[dtype].array.name}, got ${Object.prototype.toString.call(data)}`,
      );
    if (data.length !== this.size)
      throw new RangeError(
        `tensor: shape [${shape.join(",")}] has ${this.size} elements, data has ${data.length}`,
      );
  }

  get bytes(): number {
    return this.data.byteLength;
  }

  /** `Tensor float32 [3] 6 24 10`, the first sixteen elements. */
  toString(): string {
    const shown = Array.from(this.data.subarray(0, 16) as Iterable<number | bigint>, String).join(" ");
    return `Tensor ${this.dtype} [${this.shape.join(",")}] ${shown}${this.size > 16 ? " ..." : ""}`;
  }

  /** How Node prints it. */
  [Symbol.for("nodejs.util.inspect.custom")](): string {
    return this.toString();
  }
}

/**
 * A tensor as bytes: u8 dtype (ONNX number), u8 rank, two bytes of zero, u32 dimensions, padding to 8, elements; little-endian.
 * The elements start at a multiple of 8, so a reader whose bytes are aligned can view them in place.
 */
export function encodeTensor(tensor: Tensor): Uint8Array {
  const header = tensorHeader(tensor);
  const out = new Uint8Array(header.length + tensor.bytes);
  out.set(header);
  out.set(new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.bytes), header.length);
  return out;
}

/** What stands before the elements in encodeTensor()'s bytes. */
export function tensorHeader({ dtype, shape }: Tensor): Uint8Array {
  const out = new Uint8Array(tensorHeaderBytes(shape.length));
  const view = new DataView(out.buffer);
  view.setUint8(0, DTYPES[dtype].onnx);
  view.setUint8(1, shape.length);
  shape.forEach((dim, i) => view.setUint32(4 + 4 * i, dim, true));
  return out;
}

/** The reverse of encodeTensor; views `bytes` where they lie aligned, copies where not. Throws a RangeError on bytes that are no tensor. */
export function decodeTensor(bytes: Uint8Array): Tensor {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const rank = bytes.length >= 4 ? view.getUint8(1) : 0;
  const header = tensorHeaderBytes(rank);
  const dtype = bytes.length >= 4 ? dtypeFromOnnx(view.getUint8(0)) : undefined;
  if (dtype === undefined || bytes.length < header)
    throw new RangeError(`tensor: ${bytes.length} bytes are not an encoded tensor`);
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i, true));
  const size = shape.reduce((a, b) => a * b, 1);
  const row = DTYPES[dtype];
  if (size * row.bytes !== bytes.length - header)
    throw new RangeError(
      `tensor: ${dtype} [${shape.join(",")}] needs ${size * row.bytes} bytes, got ${bytes.length - header}`,
    );
  const at = bytes.byteOffset + header;
  const buffer = at % row.bytes === 0 ? bytes.buffer : new Uint8Array(bytes.subarray(header)).buffer;
  const data = new row.array(buffer as ArrayBuffer, buffer === bytes.buffer ? at : 0, size);
  return new Tensor(dtype, shape, data as TypedArrayOf<typeof dtype>);
}

/** How many bytes encodeTensor() makes of it. */
export function encodedBytes({ shape, bytes }: Tensor): number {
  return tensorHeaderBytes(shape.length) + bytes;
}

function tensorHeaderBytes(rank: number): number {
  return (4 + 4 * rank + 7) & ~7;
}
