// What a main node is told when it is made, and what one awaited job is.
import type { FlockworkError, NodeKind } from "../ids/index.js";
import type { Dial, Token } from "../wire/index.js";
import type { JobOptions } from "./job-options.js";
import type { PendingRequest } from "./request.js";

export interface MainNodeOptions {
  /** Address of the hub, for instance ws://localhost:9999. */
  readonly hub: string;
  /** What the hub lets us in by, where it asks; it must show that it knows it too. */
  readonly token?: Token;
  /** Name part of the node's id, 28 bytes at most. Default "main". */
  readonly name?: string;
  /** Results that this process misses wait under this name for the next one that gives it. Default: none. */
  readonly session?: string;
  /** Users of one hub in different domains never meet. Default "166". */
  readonly domain?: string | number;
  readonly kind?: NodeKind;
  /** Called once an outage: no hub answers, the main node goes on trying. */
  readonly onWaiting?: (error: FlockworkError) => void;
  readonly onUp?: () => void;
  readonly onDown?: (reason: string) => void;
  /** Something the hub wants the user to know, for instance that no node offers a service. */
  readonly onNotice?: (notice: { code: string; message: string }) => void;
}

/** What differs between runtimes. */
export interface ClientRuntime {
  readonly dial: Dial;
  readonly software: string;
}

/** Options of one awaited job. */
export interface RequestOptions extends JobOptions {
  /** Earlier requests of this main node whose solutions the service gets as `job.inputs`. Name them before their solutions are taken. */
  readonly inputs?: readonly PendingRequest[];
  /** Cancels the job. */
  readonly signal?: AbortSignal;
}
