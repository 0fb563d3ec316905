// What a user may say about a job, checked where it is said.
import { FlockworkError } from "../ids/index.js";
import type { MessageOf } from "../wire/index.js";

export interface JobOptions {
  /**
   * Milliseconds one attempt may run; then the job is tried elsewhere. "auto": far longer than others of the service took.
   * Default: no limit.
   */
  readonly attemptTimeoutMs?: number | "auto";
  /** Milliseconds from now after which the job fails with `deadline`. Default: none. */
  readonly deadlineMs?: number;
  /** Tries before the job fails, 1 to 1000. Default 5. */
  readonly attempts?: number;
  /** Higher runs first within this main node. Default 0. */
  readonly priority?: number;
  /** Fail as soon as the deadline can not be met any more, rather than at the deadline. */
  readonly failEarly?: boolean;
  /** Running it twice does no harm: near the end of the work a second copy may race a slow first one. */
  readonly idempotent?: boolean;
  /** What a node must have besides the service: memory in MiB, an execution provider, all of these labels. */
  readonly needs?: {
    readonly memoryMb?: number;
    readonly provider?: string;
    readonly labels?: readonly string[];
  };
}

type WireOptions = Pick<
  MessageOf<"submit">,
  | "service"
  | "priority"
  | "attempts"
  | "attemptTimeoutMs"
  | "deadlineMs"
  | "failEarly"
  | "idempotent"
  | "needs"
>;

/** Throws `bad_argument` with the value that can not be used. */
export function checkJobOptions(service: string, options: JobOptions): WireOptions {
  if (typeof service !== "string" || service.length === 0 || service.length > 112)
    throw new FlockworkError(
      "bad_argument",
      `The service's name is ${JSON.stringify(service)}; it must be text of 1 to 112 characters.`,
    );
  const { deadlineMs, attempts, priority, failEarly, idempotent, needs } = options;
  const attemptTimeoutMs = options.attemptTimeoutMs === "auto" ? undefined : options.attemptTimeoutMs;
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
    ...(options.attemptTimeoutMs === "auto" && { attemptTimeoutMs: -1 }),
    ...(attemptTimeoutMs !== undefined && { attemptTimeoutMs: Math.ceil(attemptTimeoutMs) }),
    ...(deadlineMs !== undefined && { deadlineMs }),
    ...(attempts !== undefined && { attempts }),
    ...(priority !== undefined && { priority }),
    ...(failEarly && { failEarly }),
    ...(idempotent && { idempotent }),
    ...(needs !== undefined && { needs: checkNeeds(needs) }),
  };
}

function checkNeeds({
  memoryMb,
  provider,
  labels,
}: NonNullable<JobOptions["needs"]>): NonNullable<WireOptions["needs"]> {
  if (memoryMb !== undefined && !(Number.isSafeInteger(memoryMb) && memoryMb >= 0))
    throw new FlockworkError(
      "bad_argument",
      `needs.memoryMb is ${memoryMb}; it must be a whole number of MiB.`,
    );
  const words = [...(provider === undefined ? [] : [provider]), ...(labels ?? [])];
  for (const word of words)
    if (typeof word !== "string" || word.length === 0 || word.length > 112)
      throw new FlockworkError(
        "bad_argument",
        `needs names ${JSON.stringify(word)}; a provider or label is text of 1 to 112 characters.`,
      );
  return {
    ...(memoryMb !== undefined && { memoryMb }),
    ...(provider !== undefined && { provider }),
    ...(labels !== undefined && { labels: [...labels] }),
  };
}
