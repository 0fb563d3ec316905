// What a caller may say of a graph, as the wire carries it.
import { FlockworkError } from "../../ids/index.js";
import type { BookOptions } from "./book.js";

export interface GraphOptions {
  /** For people: in errors, in `flockwork graphs`. */
  readonly name?: string;
  /** Each operation is computed as soon as it is built, as a task of its own. */
  readonly eager?: boolean;
  /** Higher first, among what this client asks for. Default 0. */
  readonly priority?: number;
  /** Every task runs on this many nodes of different owners, and their results are compared. Default 1. */
  readonly replicas?: number;
  /**
   * "freivalds": the client checks large float32 products (64 rows and columns or more) by a random vector, for which it reads
   * them and their factors; a wrong one is computed again, and named if it stays wrong.
   */
  readonly verify?: "freivalds";
  /** How long one attempt of a task may take, in milliseconds. Default: as the hub sees fit. */
  readonly timeoutMs?: number;
  /** What a node must have. */
  readonly needs?: {
    readonly memoryMb?: number;
    readonly provider?: string;
    readonly labels?: readonly string[];
  };
}

/** Throws `bad_argument` for what can not be meant. */
export function checkGraphOptions({
  name,
  priority,
  replicas,
  timeoutMs,
  needs,
  verify,
}: GraphOptions): NonNullable<BookOptions["task"]> {
  if (name !== undefined && (name === "" || name.length > 200))
    throw wrong("name", name, "a text of 1 to 200 characters");
  if (priority !== undefined && !Number.isSafeInteger(priority))
    throw wrong("priority", priority, "a whole number");
  if (replicas !== undefined && !(Number.isInteger(replicas) && replicas >= 1 && replicas <= 5))
    throw wrong("replicas", replicas, "a whole number from 1 to 5");
  if (timeoutMs !== undefined && !(timeoutMs >= 1 && Number.isFinite(timeoutMs)))
    throw wrong("timeoutMs", timeoutMs, "a number of milliseconds from 1");
  if (verify !== undefined && verify !== "freivalds") throw wrong("verify", verify, `"freivalds"`);
  const { memoryMb, provider, labels } = needs ?? {};
  return {
    ...(priority !== undefined && { priority }),
    ...(replicas !== undefined && { replicas }),
    ...(timeoutMs !== undefined && { timeoutMs: Math.round(timeoutMs) }),
    ...(needs !== undefined && {
      needs: {
        ...(memoryMb !== undefined && { memoryMb: Math.ceil(memoryMb) }),
        ...(provider !== undefined && { provider }),
        ...(labels !== undefined && { labels: [...labels] }),
      },
    }),
  };
}

function wrong(what: string, value: unknown, right: string): FlockworkError {
  return new FlockworkError("bad_argument", `The graph's ${what} is ${String(value)}; give ${right}.`);
}
