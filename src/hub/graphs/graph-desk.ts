// The hub's part in graphs, as its core and its desks see it. What it does lies in the files beside this one.
import type { Kv } from "../../backbone/index.js";
import type { AttemptFailure } from "../../ids/index.js";
import type { Assignment, SchedulerEffect } from "../../scheduler/index.js";
import type { MessageOf } from "../../wire/index.js";
import type { HubCore, HubParts } from "../core.js";
import type { Job } from "../jobs.js";
import type { NodeView } from "../node-view.js";
import type { Peer } from "../peer.js";
import type { ClientSession } from "../sessions.js";
import { Audit } from "./audit.js";
import { ClientGraphs, type ClientGraphMessage } from "./client-graphs.js";
import { fleetOf } from "./fleet.js";
import { GraphCopy } from "./graph-copy.js";
import type { Graph } from "./graph.js";
import { GraphTask } from "./graph.js";
import { KeptValues } from "./kept-values.js";
import { NodeGraphs, type NodeGraphMessage } from "./node-graphs.js";
import { Owners } from "./owners.js";
import { Programs } from "./programs.js";
import { Replicas } from "./replicas.js";
import { Sources } from "./sources.js";
import { ValueTable } from "./value-table.js";

type EffectOf<Type> = Extract<SchedulerEffect<Job | GraphTask>, { readonly type: Type }>;
type StreamMessage = MessageOf<"chunk" | "grant" | "end" | "broken">;

/** How long values that nodes hold from before a restart are kept for a client that sends its graph again. */
const STRAY_MS = 60_000;

export class GraphDesk {
  readonly kept: KeptValues;
  readonly nodes: NodeGraphs;
  readonly #core: HubCore;
  readonly #parts: HubParts;
  readonly #table = new ValueTable();
  readonly #programs = new Programs();
  readonly #sources: Sources;
  readonly #clients: ClientGraphs;
  readonly #owners: Owners;
  readonly #startedAt = Date.now();

  constructor(core: HubCore, parts: HubParts, kv: Kv) {
    this.#core = core;
    this.#parts = parts;
    this.kept = new KeptValues(kv, parts.blobs);
    this.#sources = new Sources(core, parts);
    this.#owners = new Owners(core);
    const audit = new Audit(core, parts, this.#sources, ({ session }) => this.#owners.reseat(session.domain));
    const replicas = new Replicas(core, this.#sources, this.#table, this.#owners, audit);
    const shared = [this.#table, this.#programs, this.#sources, audit] as const;
    this.#clients = new ClientGraphs(core, parts, this.kept, replicas, ...shared);
    this.nodes = new NodeGraphs(core, parts, ...shared);
  }

  graphs(): Iterable<Graph> {
    return this.#clients.graphs();
  }

  client(session: ClientSession, message: ClientGraphMessage): void {
    if (message.t === "survey")
      session.peer?.send({
        t: "fleet",
        request: message.request,
        ...fleetOf(this.#core.nodes.views.values(), session.domain),
      });
    else this.#clients.message(session, message);
  }

  node(view: NodeView, message: NodeGraphMessage): void {
    this.nodes.message(view, message);
  }

  /** A client reads an output of its graph, or what is kept under a name. */
  fetch(session: ClientSession, peer: Peer, message: MessageOf<"fetch">): void {
    const { id, of } = message;
    if ("persisted" in of) {
      const blob = this.kept.get(session, of.persisted);
      if (blob !== undefined) this.#parts.transfers.fetch(peer, message, blob);
      else
        peer.send({
          t: "broken",
          id,
          code: "unknown_name",
          message: `Nothing is kept as "${of.persisted}"; names() lists what there is.`,
        });
      return;
    }
    const value = "output" in of ? this.#clients.find(session, of.graph, of.output) : undefined;
    if (value === undefined) {
      peer.send({
        t: "broken",
        id,
        code: "bad_argument",
        message: "The graph has no such value (any more).",
      });
      return;
    }
    this.#sources.ready(value).then(
      () => this.#sources.send(peer, message, value),
      ({ code, message }: { code: string; message: string }) => peer.send({ t: "broken", id, code, message }),
    );
  }

  /** Takes a message about a value on its way through here. */
  stream(peer: Peer, message: StreamMessage): boolean {
    return this.#sources.relay.take(peer, message);
  }

  closed(peer: Peer): void {
    this.#sources.relay.closed(peer);
  }

  /** Ends the graphs of clients who do not come back, and lets go of what nobody has asked for. */
  sweep(now: number): void {
    this.#clients.fade();
    for (const graph of [...this.graphs()])
      if (graph.session.peer === undefined && now - graph.session.lastSeen > this.#parts.limits.graphAwayMs) {
        this.#parts.log.info({ session: graph.session.name, graph: graph.id }, "graph given up");
        this.#clients.end(graph.session, graph.id);
      }
    if (this.#table.strays > 0 && now - this.#startedAt > STRAY_MS)
      for (const view of this.#core.nodes.views.values()) this.nodes.dropStrays(view);
  }

  endAll(session: ClientSession): void {
    this.#clients.endAll(session);
  }

  dispatch(view: NodeView | undefined, assignments: readonly Assignment<GraphTask>[]): void {
    this.nodes.dispatch(view, assignments);
  }

  /** What only the hub can do: comparing results. */
  verify(assignments: readonly Assignment<GraphTask>[]): void {
    this.#clients.replicas.verify(assignments);
  }

  /** Labels that a node has besides its operator's. */
  labels(view: NodeView): readonly string[] {
    return this.#owners.labels(view.domain, view.owner);
  }

  /** A node does not come back: others take its owner's place. */
  left(view: NodeView): void {
    if (view.engine !== undefined) this.#owners.reseat(view.domain);
  }

  solved(tasks: readonly GraphTask[]): void {
    for (const task of tasks) if (task instanceof GraphCopy) this.#clients.replicas.copied(task);
    this.#clients.solved(tasks.filter((task) => !(task instanceof GraphCopy)));
    this.#clients.recomputed(tasks);
  }

  failed(task: GraphTask, code: string, message: string, reasons: readonly AttemptFailure[]): void {
    if (task instanceof GraphCopy) this.#clients.replicas.failed(task, code, message);
    else this.#clients.unsolved(task, code, message, reasons);
    for (const value of task.values) this.#sources.failed(value);
  }

  recomputed({ tags }: EffectOf<"Recomputed">): void {
    this.#clients.recomputed(tags.filter((tag) => tag instanceof GraphTask));
  }

  valuesGone({ tag }: EffectOf<"ValuesGone">): void {
    if (tag instanceof GraphTask) for (const value of tag.values) this.#sources.failed(value);
  }

  release({ place, values: refs }: EffectOf<"Release">): void {
    const values = refs.map((ref) => this.#table.at(ref)).filter((value) => value !== undefined);
    const names = values
      .filter((value) => !this.#clients.replicas.keeps(value, place))
      .flatMap((value) => [...new Set([value.nameAt(place), value.name])]);
    if (place !== "hub" && names.length > 0)
      this.#core.nodes.views.get(place)?.peer?.send({ t: "drop", names });
    for (const value of values) {
      if (place === "hub") value.data = undefined;
      if (value.released) this.#clients.gone(value);
    }
  }
}
