// What a hub can be told, and what that comes to.
import type { Logger } from "pino";
import type { SchedulerOptions } from "../scheduler/index.js";
import type { HubLimits } from "./limits.js";
import type { LogOptions } from "./log.js";

export interface HubOptions {
  /** Port for WebSocket and HTTP; 0 picks a free one. Default 9999. */
  readonly port?: number;
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** Where the journal and the blobs are kept. Absent: in memory and a temporary folder, gone with the process. */
  readonly dataDir?: string;
  /** What an acknowledged job survives: the death of any process (default), or loss of power as well. */
  readonly durable?: "process" | "power";
  /** Certificate and key, as PEM text: the hub speaks wss and https. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Take plain connections on an address that is not this machine's: tokens stay secret, but all else can be read and altered on the way. */
  readonly insecure?: boolean;
  /** Ask for tokens on this machine too. Elsewhere they are always asked for. */
  readonly requireToken?: boolean;
  /** Further names under which the hub may be addressed, besides localhost and IP addresses. */
  readonly allowHosts?: readonly string[];
  /** Pages of other origins that may use the hub, like http://example.org:8080. */
  readonly allowOrigins?: readonly string[];
  readonly limits?: Partial<HubLimits>;
  readonly scheduler?: Partial<SchedulerOptions>;
  readonly log?: LogOptions | Logger;
  /** A file to write every event of the scheduler to, for `flockwork replay`: no payloads, at most 256 MiB with FILE.1. */
  readonly record?: string;
  /** It ends with something else, such as a main node; /healthz says so, and those who use it may start one in its place. */
  readonly passing?: boolean;
}
