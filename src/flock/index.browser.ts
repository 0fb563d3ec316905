// The package's face in a page: main and computing nodes over the platform's WebSocket. A page starts no hub.
import {
  Flock,
  MainNode as ClientMainNode,
  type FlockOptions,
  type MainNodeOptions,
} from "../client/index.js";
import {
  ComputingNode as NodeComputingNode,
  noModules,
  type ComputingNodeOptions,
  type NodeRuntime,
} from "../node/index.js";
import { dial } from "../wire/socket.browser.js";

export * from "./exports.js";

const SOFTWARE = "flockwork-browser";

export type MainNode = ClientMainNode;
export const MainNode = {
  /** Joins the hub at `hub`. Rejects with `session_taken`, `version_mismatch`. */
  join(options: MainNodeOptions): Promise<ClientMainNode> {
    return ClientMainNode.start(options, { dial, software: SOFTWARE });
  },
};

/** Joins the hub at `hub` as a client whose graphs nodes compute. Rejects with `version_mismatch`, `unauthorized`. */
export function connect(options: FlockOptions): Promise<Flock> {
  return Flock.start(options, { dial, software: SOFTWARE });
}

/** A page brings its engines along: they are large, and not every page computes programs. */
export interface PageNodeOptions extends ComputingNodeOptions {
  readonly engines?: NodeRuntime["engine"];
}

export type ComputingNode = NodeComputingNode;
export const ComputingNode = {
  /**
   * Joins the hub at `hub` and serves the functions given; { module, export } services need Node. It computes programs with
   * the engines given, and keeps their values in memory only.
   */
  join({ engines, ...options }: PageNodeOptions): Promise<NodeComputingNode> {
    return NodeComputingNode.start(options, {
      dial,
      software: SOFTWARE,
      modules: noModules,
      ...(engines && { engine: engines }),
    });
  },
};
