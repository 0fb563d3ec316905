// What a computing node can be told, and what it needs of its runtime.
import type { FlockworkError, NodeKind } from "../ids/index.js";
import type { Dial, MessageOf, Token } from "../wire/index.js";
import type { ModuleRunner } from "./runner.js";
import type { Services } from "./service.js";

export interface ComputingNodeOptions {
  /** Address of the hub, for instance ws://localhost:9999. */
  readonly hub: string;
  /** What the hub lets us in by, where it asks; it must show that it knows it too. */
  readonly token?: Token;
  /** Name part of the node's id, 28 bytes at most. Default "node". */
  readonly name?: string;
  /** Tasks it runs at the same time. Default 1. */
  readonly slots?: number;
  /** Users of one hub in different domains never meet. Default "166". */
  readonly domain?: string | number;
  readonly services: Services;
  /** What jobs may ask of a node: its memory in MiB, and words of the operator's choice. */
  readonly memoryMb?: number;
  readonly labels?: readonly string[];
  readonly kind?: NodeKind;
  /** Leaves after this many answers. */
  readonly limit?: number;
  /** Whether it asks for tasks beyond its slots, so that short ones need not wait for their way here. Default true. */
  readonly prefetch?: boolean;
  /** Joins without taking tasks, until resume(). Default false. */
  readonly paused?: boolean;
  /** Called once an outage: no hub answers, the node goes on trying. */
  readonly onWaiting?: (error: FlockworkError) => void;
  readonly onUp?: () => void;
  readonly onDown?: (reason: string) => void;
  /** Something the hub wants the operator to know. */
  readonly onNotice?: (notice: { code: string; message: string }) => void;
}

/** What differs between runtimes. */
export interface NodeRuntime {
  readonly dial: Dial;
  readonly software: string;
  modules(): ModuleRunner;
  /** Starts a heartbeat of its own beside the link, where the runtime has threads. */
  startBeat?(hello: MessageOf<"hello">, url: string, token: Token | undefined): { close(): void };
}
