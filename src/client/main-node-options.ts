// What a main node is told when it is made, and what one awaited job is.
import type { NodeKind } from "../ids/index.js";
import type { ClientLinkOptions } from "./client-link.js";
import type { JobOptions } from "./job-options.js";
import type { PendingRequest } from "./request.js";

export interface MainNodeOptions extends ClientLinkOptions {
  /** Name part of the node's id, 28 bytes at most. Default "main". */
  readonly name?: string;
  /** Results that this process misses wait under this name for the next one that gives it. Default: none. */
  readonly session?: string;
  readonly kind?: NodeKind;
}

/** Options of one awaited job. */
export interface RequestOptions extends JobOptions {
  /** Earlier requests of this main node whose solutions the service gets as `job.inputs`. Name them before their solutions are taken. */
  readonly inputs?: readonly PendingRequest[];
  /** Cancels the job. */
  readonly signal?: AbortSignal;
}
