// What the hub says to clients and nodes about graphs: programs, tasks, values.
import { FlockworkError } from "../../ids/index.js";
import type { MessageOf } from "../../wire/index.js";
import type { NodeView } from "../node-view.js";
import type { ClientSession } from "../sessions.js";

export type ClientGraphMessage = MessageOf<
  "program" | "given" | "tasks" | "want" | "release" | "finish" | "persist" | "kept_names" | "survey"
>;
export type NodeGraphMessage = MessageOf<"computed" | "holds" | "probe">;

export class GraphDesk {
  client(_session: ClientSession, message: ClientGraphMessage): void {
    throw new FlockworkError("bad_message", `This hub computes no graphs yet ("${message.t}").`);
  }

  node(_view: NodeView, message: NodeGraphMessage): void {
    throw new FlockworkError("bad_message", `This hub computes no graphs yet ("${message.t}").`);
  }
}
