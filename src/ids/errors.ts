// Every error a user of Flockwork can meet: one class, a table of stable codes, and what to do about each.

/** Stable codes. The text beside each says what went wrong; the message of an error adds the value and the remedy. */
export const ERROR_CODES = {
  bad_argument: "a value given to the API or the command line is not usable",
  bad_message: "a message on the wire does not fit its schema",
  version_mismatch: "the two sides speak different versions of the protocol",
  unauthorized: "the token is missing, wrong or has another role",
  hub_unreachable: "no hub answers at the address",
  hub_stopping: "the hub is shutting down and takes nothing new",
  port_in_use: "another program listens on the port",
  data_locked: "another hub uses the data directory",
  stale_epoch: "another hub has claimed this partition; this one must stop writing",
  storage_full: "the hub cannot write to its disk",
  storage_corrupt: "a file of the data directory is damaged or not the hub's",
  conflict: "the key was changed by somebody else in the meantime",
  session_taken: "another live main node uses this session name",
  unknown_service: "no connected node offers the service",
  too_large: "a payload or frame is over its limit",
  limit: "a limit of the hub was reached",
  service_error: "the service threw",
  program_error: "the engine could not run the program on these inputs",
  program_refused: "the program is not one that may run here",
  engine_crashed: "the engine's process died while it ran the program",
  out_of_memory: "the program, or the values it needs, take more memory than the node has for them",
  value_lost: "a value is gone and cannot be computed again",
  wrong_result: "a node's result did not stand up to a check",
  graph_failed: "operations of a graph failed",
  name_taken: "a value is kept under this name already",
  unknown_name: "nothing is kept under this name",
  attempt_timeout: "one attempt took longer than attemptTimeoutMs",
  deadline: "the job was not solved before its deadline",
  node_lost: "the node that ran the task went away",
  input_failed: "a job whose solution was to be the input failed",
  cancelled: "the job was cancelled",
  stream_lost: "a transfer can not go on where it broke, and its source can be read only once",
  hub_lost: "the hub that had taken the job is gone with its memory",
  closed: "this node or client has been closed",
  internal: "a bug in Flockwork",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

/** The base of every error Flockwork throws on purpose. `code` is stable, the message is for people. */
export class FlockworkError extends Error {
  constructor(
    readonly code: ErrorCode | (string & {}),
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "FlockworkError";
  }
}

/** One failed attempt of a job: where it ran, and why it failed. */
export interface AttemptFailure {
  readonly node: string;
  readonly code: string;
  readonly message: string;
}

/** A job that has no solution and will have none. `reasons` holds one entry for each attempt that failed. */
export class JobError extends FlockworkError {
  constructor(
    code: ErrorCode | (string & {}),
    message: string,
    readonly reasons: readonly AttemptFailure[] = [],
    readonly node?: string,
  ) {
    super(code, message);
    this.name = "JobError";
  }
}
