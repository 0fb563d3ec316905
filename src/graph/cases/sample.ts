// Inputs for a case: expressions, and values drawn from a small generator, so that every run and every engine sees the same.
import { fromNumbers, Tensor, type DType } from "../../tensor/index.js";
import type { Expression } from "../expression.js";
import { input } from "../leaf.js";
import { count } from "../nd.js";
import type { Case } from "./case.js";

export interface Sample {
  readonly inputs: readonly Expression[];
  readonly feeds: Readonly<Record<string, Tensor>>;
  readonly outputs: readonly Expression[];
}

/** A case with `T` as `dtype`. Throws what building throws. */
export function sample({ inputs, call, range = [-2, 2] }: Case, dtype: DType): Sample {
  const random = generator(inputs.join().length + 7);
  const feeds: Record<string, Tensor> = {};
  const xs = inputs.map((spec, i) => {
    const [type, dims = ""] = spec.split(" ");
    const own = (type === "T" ? dtype : type) as DType;
    const shape = dims === "" ? [] : dims.split(",").map(Number);
    feeds[`x${i}`] = draw(own, shape, range, random);
    return input(`x${i}`, own, shape);
  });
  const result = call(...xs);
  return {
    inputs: xs,
    feeds,
    outputs: Array.isArray(result) ? (result as Expression[]) : [result as Expression],
  };
}

function draw(
  dtype: DType,
  shape: readonly number[],
  [low, high]: readonly [number, number],
  random: () => number,
): Tensor {
  const values = Array.from({ length: count(shape) }, () => {
    const value = low + (high - low) * random();
    if (dtype === "bool") return value > (low + high) / 2;
    if (dtype === "uint8") return Math.abs(Math.round(value));
    return dtype === "int32" || dtype === "int64" ? Math.round(value) : value;
  });
  return new Tensor(dtype, shape, fromNumbers(dtype, values));
}

/** mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}
