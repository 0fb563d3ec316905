// What a computing node can be told, and what it needs of its runtime.
import type { FlockworkError, NodeKind } from "../ids/index.js";
import type { EngineSlots } from "../engine/slot.js";
import type { Dial, MessageOf, Token } from "../wire/index.js";
import type { ModuleRunner } from "./runner.js";
import type { Services } from "./service.js";
import type { Spill } from "./values/spill.js";

/** How programs run. */
export interface EngineOptions {
  /** Threads of one engine. Default 1: two engines of one thread do more than one of two. */
  readonly threads?: number;
  /** Execution provider, for instance "cpu" or "webgpu". Default: the best that is there. */
  readonly provider?: string;
  /** MiB that one engine may take. */
  readonly memoryMb?: number;
  /** Run programs in threads, not in processes: quicker to start, but a program that crashes its engine takes the node with it. */
  readonly trusted?: boolean;
}

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
  /** Functions of yours that jobs may call. Default: none. */
  readonly services?: Services;
  /** Whether and how it computes programs for graphs. Default: where it has no services. */
  readonly engine?: EngineOptions | false;
  /** MiB of values that it keeps in memory; beyond that they go to disk. Default 1024. */
  readonly valuesMb?: number;
  /** Folder for values that do not fit into memory. Default: the system's for temporary files. */
  readonly spill?: string;
  /** What jobs may ask of a node: its memory in MiB, and words of the operator's choice. */
  readonly memoryMb?: number;
  readonly labels?: readonly string[];
  /** Whose it says it is, where no token says so: copies of a task go to nodes of different owners. Default "local". */
  readonly owner?: string;
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
  /** Engines for so many programs at once; loaded when first asked for. Absent: nodes compute no programs here. */
  engine?(options: EngineOptions & { readonly slots: number }): Promise<EngineSlots>;
  /** Where values go that do not fit into memory. */
  spill?(folder: string | undefined): Spill;
  /** What nodes keep for their next visit. */
  readonly notes?: Notes;
  /** Starts a heartbeat of its own beside the link, where the runtime has threads. */
  startBeat?(hello: MessageOf<"hello">, url: string, token: Token | undefined): { close(): void };
}

/** Small facts that outlast a process, by name. Both are best effort. */
export interface Notes {
  read(name: string): Promise<unknown>;
  write(name: string, value: unknown): Promise<void>;
}
