// What a user may say about a job, checked where it is said.
import { FlockworkError } from "../ids/index.js";
import type { MessageOf } from "../wire/index.js";

export interface JobOptions {
  /** Milliseconds one attempt may run; then the job is tried elsewhere. Default: no limit. */
  readonly attemptTimeoutMs?: number;
  /** Milliseconds from now after which the job fails with `deadline`. Default: none. */
  readonly deadlineMs?: number;
  /** Tries before the job fails, 1 to 1000. Default 5. */
  readonly attempts?: number;
  /** Higher runs first within this main node. Default 0. */
  readonly priority?: number;
}

type WireOptions = Pick<
  MessageOf<"submit">,
  "service" | "priority" | "attempts" | "attemptTimeoutMs" | "deadlineMs"
>;

/** Throws `bad_argument` with the value that can not be used. */
export function checkJobOptions(service: string, options: JobOptions): WireOptions {
  if (typeof service !== "string" || service.length === 0 || service.length > 112)
    throw new FlockworkError(
      "bad_argument",
      `The service's name is ${JSON.stringify(service)}; it must be text of 1 to 112 characters.`,
    );
  const { attemptTimeoutMs, deadlineMs, attempts, priority } = options;
  const positive = (name: string, value: number | undefined) => {
    if (value !== undefined && !(Number.isFinite(value) && value >= 1))
      throw new FlockworkError("bad_argument", `${name} is ${value}; it must be 1 or more milliseconds.`);
  };
  positive("attemptTimeoutMs", attemptTimeoutMs);
  positive("deadlineMs", deadlineMs);
  if (attempts !== undefined && !(Number.isInteger(attempts) && attempts >= 1 && attempts <= 1000))
    throw new FlockworkError(
      "bad_argument",
      `attempts is ${attempts}; it must be a whole number from 1 to 1000.`,
    );
  if (priority !== undefined && !Number.isSafeInteger(priority))
    throw new FlockworkError("bad_argument", `priority is ${priority}; it must be a whole number.`);
  return {
    service,
    ...(attemptTimeoutMs !== undefined && { attemptTimeoutMs: Math.ceil(attemptTimeoutMs) }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(attempts !== undefined && { attempts }),
    ...(priority !== undefined && { priority }),
  };
}
