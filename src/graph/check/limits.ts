// What a model may ask of whoever runs it. Each limit has a name and a default; past one there is a GraphError with the code "limit".
import { GraphError } from "../error.js";

export interface Limits {
  /** Bytes of the model itself. */
  readonly modelBytes: number;
  /** Bytes of memory that all but the weights become when the file is decoded. */
  readonly decoded: number;
  /** Operators, those of each round of its loops counted. */
  readonly operators: number;
  /** Bytes of all values that live at one moment, the weights among them. */
  readonly memory: number;
  /** Floating-point operations of one run. */
  readonly flops: number;
  /** Axes of a tensor. */
  readonly rank: number;
  /** Inputs, outputs and symbols. */
  readonly ports: number;
}

export const DEFAULT_LIMITS: Limits = {
  modelBytes: 2 ** 31 - 1,
  decoded: 2 ** 29,
  operators: 100_000,
  memory: 4 * 2 ** 30,
  flops: 1e15,
  rank: 16,
  ports: 10_000,
};

/** Past a limit: which. */
export class LimitError extends GraphError {
  constructor(
    message: string,
    readonly limit: keyof Limits,
  ) {
    super(message, "limit");
  }
}
