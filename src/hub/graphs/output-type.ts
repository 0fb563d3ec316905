// What an output of a program is, as the client says, and whether the bytes of a tensor can be that. Pure.
import { DTYPES, dtypeFromOnnx, type DType } from "../../tensor/index.js";

/** Dtype and shape; -1 for a length that is known by running only. */
export type OutputType = readonly [dtype: string, shape: readonly number[]];

/** Why an encoded tensor of so many bytes, which begins with `head`, is not of this type; undefined where it may be. */
export function misfit(type: OutputType | undefined, bytes: number, head: Uint8Array): string | undefined {
  const found = typeOf(head);
  if (found === undefined) return "its bytes are no tensor";
  const [dtype, shape] = found;
  const size = shape.reduce((product, n) => product * n, 1);
  const needed = headerBytes(shape.length) + size * DTYPES[dtype].bytes;
  if (needed !== bytes) return `${print(found)} takes ${needed} bytes, not ${bytes}`;
  if (type === undefined) return undefined;
  const [wanted, lengths] = type;
  const fits =
    wanted === dtype &&
    lengths.length === shape.length &&
    lengths.every((length, axis) => length === -1 || length === shape[axis]);
  return fits ? undefined : `it is ${print(found)}, its program makes ${print(type)}`;
}

/** The bytes that every tensor of this type takes; undefined where that depends. */
export function bytesOf([dtype, shape]: OutputType): number | undefined {
  if (!(dtype in DTYPES) || shape.includes(-1)) return undefined;
  return (
    headerBytes(shape.length) + shape.reduce((product, n) => product * n, 1) * DTYPES[dtype as DType].bytes
  );
}

/** Of encodeTensor()'s bytes, at least as many as there are before the elements. */
function typeOf(head: Uint8Array): readonly [DType, readonly number[]] | undefined {
  if (head.length < 4) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const rank = view.getUint8(1);
  const dtype = dtypeFromOnnx(view.getUint8(0));
  if (dtype === undefined || head.length < headerBytes(rank)) return undefined;
  return [dtype, Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i, true))];
}

function headerBytes(rank: number): number {
  return (4 + 4 * rank + 7) & ~7;
}

function print([dtype, shape]: OutputType): string {
  return `${dtype} [${shape.map((n) => (n === -1 ? "?" : n)).join(",")}]`;
}
