// What a computing node can do: services, plain functions that the operator of the node installed. Nothing here runs them.
import { FlockworkError, type NodeId } from "../ids/index.js";
import { Content, type Payload, type RemotePayload } from "../wire/index.js";

/** What a service gets: the job's payload, and the solutions of the jobs it names as inputs. */
export class Job extends Content {
  constructor(
    payload: Payload | RemotePayload,
    /** Solutions of earlier jobs, in the order the client named them. */
    readonly inputs: readonly Content[],
  ) {
    super(payload);
  }
}

export interface ServiceContext {
  /** Aborted when the job is cancelled, times out or has been solved elsewhere. */
  readonly signal: AbortSignal;
  /** Number of this try, from 1. */
  readonly attempt: number;
  /** Id of the main node that asked. */
  readonly client: NodeId;
  /** The job's number at that main node, from 0: its place among all jobs of the session. */
  readonly seq: number;
}

/**
 * Returns the solution: bytes, text, a Tensor, anything JSON can hold, or a stream of bytes (an AsyncIterable of Uint8Array,
 * a ReadableStream), which travels as it comes. Throwing fails the attempt; see ServiceError.
 */
export type ServiceFunction = (job: Job, context: ServiceContext) => unknown;

/** A service in a module of its own: runs in a worker per slot, which is killed on timeout. */
export interface ModuleService {
  /** Path or file: URL, relative to the working directory. */
  readonly module: string;
  /** Name of the exported function. Default "default". */
  readonly export?: string;
}

/** A service with facts about it. */
export interface DeclaredService {
  readonly run: ServiceFunction | ModuleService;
  /** Running it twice does no harm, so a second copy may race a slow first one. */
  readonly idempotent?: boolean;
  /** It reads large jobs and inputs by itself, with `job.stream()` or after `await job.load()`; else they are loaded before it runs. */
  readonly stream?: boolean;
}

export type Service = ServiceFunction | ModuleService | DeclaredService;
export type Services = Readonly<Record<string, Service>>;

/** Throw it from a service to say what the client gets to see; `retry: false` when another try is no use. */
export class ServiceError extends FlockworkError {
  readonly retry: boolean;

  constructor(message: string, options: { code?: string; retry?: boolean } = {}) {
    super(options.code ?? "service_error", message);
    this.name = "ServiceError";
    this.retry = options.retry ?? true;
  }
}

/** A checked service. */
export interface InstalledService {
  readonly name: string;
  readonly run: ServiceFunction | ModuleService;
  readonly idempotent: boolean;
  readonly stream: boolean;
}

/** Checks what a user gave as services. Throws `bad_argument`. */
export function installServices(services: Services = {}): ReadonlyMap<string, InstalledService> {
  const installed = new Map<string, InstalledService>();
  for (const [name, service] of Object.entries(services)) {
    const declared: DeclaredService =
      typeof service === "object" && service !== null && "run" in service ? service : { run: service };
    const { run } = declared;
    if (typeof run !== "function" && !(typeof run === "object" && typeof run?.module === "string"))
      throw new FlockworkError(
        "bad_argument",
        `Service "${name}" is ${describe(service)}; give a function, { module, export } or { run, idempotent }.`,
      );
    if (name.length === 0 || name.length > 112)
      throw new FlockworkError(
        "bad_argument",
        `A service's name has 1 to 112 characters, "${name}" has ${name.length}.`,
      );
    const { idempotent = false, stream = false } = declared;
    if (stream && typeof run !== "function")
      throw new FlockworkError(
        "bad_argument",
        `Service "${name}" is a module, which gets its jobs whole; give a function to read them as streams.`,
      );
    installed.set(name, { name, run, idempotent, stream });
  }
  return installed;
}

/** What an exception becomes on its way to the client. */
export function failureOf(error: unknown): { code: string; message: string; retry: boolean } {
  if (typeof error !== "object" || error === null)
    return { code: "service_error", message: String(error), retry: true };
  const { code, message, retry } = error as { code?: unknown; message?: unknown; retry?: unknown };
  return {
    code: typeof code === "string" && code.length > 0 ? code.slice(0, 64) : "service_error",
    message: (typeof message === "string" ? message : String(error)).slice(0, 65_536),
    retry: retry !== false,
  };
}

function describe(value: unknown): string {
  return value === null ? "null" : Array.isArray(value) ? "an array" : `a ${typeof value}`;
}
