// Whether two results of one program are the same result: bit for bit where the engines are alike, close where not. Pure.
import { decodeTensor, DTYPES, toNumbers } from "../../tensor/index.js";
import type { EngineFields } from "../../wire/index.js";

/** How far float results of different engines may lie apart, by the largest element. */
const RELATIVE: Readonly<Record<string, number>> = { float16: 1e-2, float32: 1e-4, float64: 1e-9 };

/**
 * Engines that compute the same bits: same version, provider, threads and class of processor. None on a graphics card is known to:
 * drivers differ, and what the card does not run WebAssembly does.
 */
export function alike(a: EngineFields | undefined, b: EngineFields | undefined): boolean {
  return (
    a !== undefined &&
    b !== undefined &&
    a.provider !== "webgpu" &&
    (["name", "version", "provider", "threads", "cpu"] as const).every((key) => a[key] === b[key])
  );
}

/** Why two encoded tensors are not the same result within the tolerance of their dtype; undefined when they are. */
export function difference(a: Uint8Array, b: Uint8Array): string | undefined {
  let x, y;
  try {
    [x, y] = [decodeTensor(a), decodeTensor(b)];
  } catch (error) {
    return (error as Error).message;
  }
  if (x.dtype !== y.dtype || x.shape.join() !== y.shape.join())
    return `${x.dtype} [${x.shape.join(",")}] against ${y.dtype} [${y.shape.join(",")}]`;
  const [p, q] = [toNumbers(x), toNumbers(y)];
  let scale = 0;
  for (const value of p) if (Number.isFinite(value)) scale = Math.max(scale, Math.abs(value));
  const most = DTYPES[x.dtype].float ? RELATIVE[x.dtype]! * Math.max(scale, 1e-30) : 0;
  for (let i = 0; i < p.length; i++)
    if (!Object.is(p[i], q[i]) && p[i] !== q[i] && !(Math.abs(p[i]! - q[i]!) <= most))
      return `element ${i} is ${p[i]} against ${q[i]}`;
  return undefined;
}
