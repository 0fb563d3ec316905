// How a node runs one attempt, inline or in a worker: the small interface between the slots and whatever computes.
import { FlockworkError } from "../ids/index.js";
import { byteStreamOf, encodeContent, type ByteStream, type Payload } from "../wire/index.js";
import {
  ServiceError,
  type Job,
  type ModuleService,
  type ServiceContext,
  type ServiceFunction,
} from "./service.js";

/**
 * A run in a place that can be killed: a module's function, a program. `settled` is how the run ended; `kill` ends it at once, after
 * which the slot is free again.
 */
export interface KillableRun<Result = Payload> {
  readonly settled: Promise<Result>;
  kill(): void;
}

/** What a service may know of its run, without the signal: a worker is killed instead. */
export type AttemptFacts = Omit<ServiceContext, "signal">;

/** One per slot: a worker that is kept between runs and replaced when it was killed. */
export interface ModuleRunner {
  run(service: ModuleService, job: Job, facts: AttemptFacts): KillableRun;
  close(): Promise<void>;
}

/** What a service returned: whole, or its bytes as they come. */
export type Returned = Payload | ByteStream;

/** Starts an inline service. A plain result comes back at once, so that a thousand tiny jobs cost no promise each. */
export function runInline(
  service: ServiceFunction,
  job: Job,
  context: ServiceContext,
): Returned | Promise<Returned> {
  const result = service(job, context);
  return isPromise(result) ? result.then(returned) : returned(result);
}

function returned(result: unknown): Returned {
  return byteStreamOf(result) ?? encodeSolution(result);
}

/** What a service returned, as it travels. What can not travel fails for good: another try returns the like. */
export function encodeSolution(result: unknown): Payload {
  try {
    return encodeContent(result);
  } catch (error) {
    if (!(error instanceof FlockworkError)) throw error;
    throw new ServiceError(`The service's solution can not be sent. ${error.message}`, {
      code: error.code,
      retry: false,
    });
  }
}

/** For runtimes without worker services. */
export function noModules(): ModuleRunner {
  return {
    run: () => {
      throw new FlockworkError(
        "bad_argument",
        "Services given as { module, export } need Node; in a page give a function.",
      );
    },
    close: () => Promise.resolve(),
  };
}

function isPromise(value: unknown): value is Promise<unknown> {
  return (
    typeof value === "object" && value !== null && typeof (value as { then?: unknown }).then === "function"
  );
}
