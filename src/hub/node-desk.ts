// What the hub says to nodes and hears from them: they join, get work, leave, or fall silent.
import { FlockworkError, type Domain, type NodeId, type TaskId } from "../ids/index.js";
import type { Kv } from "../backbone/index.js";
import type { Assignment, AttemptRef } from "../scheduler/index.js";
import type { MessageFrom } from "../wire/index.js";
import { TASKS_PER_EPOCH } from "./admission.js";
import type { HubCore, HubParts } from "./core.js";
import { Given } from "./given.js";
import type { Job } from "./jobs.js";
import { NodeAnswers } from "./node-answers.js";
import { offerOf } from "./node-offer.js";
import { newView, ownerOf, type NodeView } from "./node-view.js";
import type { Hello, Peer } from "./peer.js";
import { RETURN_MS, Returns } from "./returns.js";
import { runsOf } from "./dispatch.js";

/** How long a node that is gone stays in /api/nodes as dropped. */
const REMEMBER_MS = 60_000;
/** The same where it may still bring answers that others can not have. */
const REMEMBER_GIVEN_MS = 600_000;

export class NodeDesk {
  readonly views = new Map<NodeId, NodeView>();
  readonly #core: HubCore;
  readonly #parts: HubParts;
  #nextNumber = 0;
  readonly #returns: Returns;
  readonly answers: NodeAnswers;

  constructor(core: HubCore, parts: HubParts, kv: Kv) {
    this.#core = core;
    this.#parts = parts;
    this.#returns = new Returns(kv, parts.log);
    this.answers = new NodeAnswers(core, parts);
  }

  /** After a restart: holds dispatch until the nodes of before are back, or have had their time. */
  async expectReturns(jobsWait: boolean): Promise<void> {
    if (await this.#returns.expect(jobsWait, () => this.resumeDispatch()))
      this.#core.handle({ type: "DispatchPaused" });
  }

  /** A node's link is there: new, back after a break, or back after the hub's own restart. */
  join(peer: Peer, hello: Hello): NodeView {
    const { node } = hello;
    if (node === undefined)
      throw new FlockworkError("bad_message", "A node's hello must say what the node offers.");
    const id = hello.id as NodeId;
    const known = this.views.get(id);
    const owner = ownerOf(peer, node);
    if (known !== undefined && known.state !== "dropped" && known.owner !== owner)
      throw new FlockworkError("session_taken", `A node of another owner is called ${id}; use another name.`);
    if (known !== undefined && known.instance !== hello.instance) {
      if (known.peer !== undefined)
        throw new FlockworkError(
          "session_taken",
          `A live node is called ${id}; a node's id must be its own.`,
        );
      this.#core.handle({ type: "NodeLeft", node: id });
    }
    const back = known !== undefined && known.instance === hello.instance && known.state !== "dropped";
    // A half-open link may still look alive here when the node has already made a new one.
    if (back) known.peer?.cut();
    const given =
      known?.instance === hello.instance
        ? known.given
        : new Given(this.#parts.ledger.epoch * TASKS_PER_EPOCH);
    const view = back ? known : newView(this.#nextNumber++, peer, hello, node, given);
    view.peer = peer;
    view.state = "running";
    this.views.set(id, view);
    const listed = attemptRefs(node.tasks, node.attempts);
    const running = listed.filter(({ task }) => view.given.has(task));
    // It asks for nothing yet, so it is given nothing: drained before the scheduler counts on it.
    const paused = node.window === 0;
    const held = this.#core.graphs.nodes.held(view, node.values);
    const resuming = running.length > 0 || held.length > 0 || paused;
    if (!back)
      this.#core.handle({
        ...offerOf(view, node, node.engine ? this.#core.graphs.labels(view) : []),
        resuming,
      });
    if (back) this.#resize(view, node.slots);
    if (back && !paused)
      this.#core.handle({ type: "NodeWindow", node: id, window: Math.max(node.window, node.slots) });
    if (paused) this.#core.handle({ type: "NodeDraining", node: id });
    if (back || resuming) this.#core.handle({ type: "NodeResumed", node: id, running, values: held });
    this.#core.graphs.nodes.found(view, held);
    if (running.length < listed.length)
      this.stop(
        id,
        listed.filter(({ task }) => !view.given.has(task)),
        "unknown",
      );
    if (this.#returns.here(id, node.engine !== undefined)) this.resumeDispatch();
    this.#parts.log.info(
      { node: id, domain: view.domain, slots: node.slots, services: node.services },
      back ? "node is back" : "node joined",
    );
    return view;
  }

  #resize(view: NodeView, slots: number): void {
    if (slots === view.slots) return;
    view.slots = slots;
    this.#core.handle({ type: "NodeSlots", node: view.id, slots });
  }

  /** Services that reachable nodes of a domain offer, sorted. */
  services(domain: Domain): string[] {
    const names = new Set<string>();
    for (const view of this.views.values())
      if (view.domain === domain && view.peer !== undefined)
        for (const service of view.services) names.add(service);
    return [...names].sort();
  }

  /** Set while the hub shuts down: it dispatches nothing more. */
  draining = false;

  /** Dispatch goes on, unless something still holds it: a full disk, a shutdown, nodes of before a restart that are awaited. */
  resumeDispatch(): void {
    if (this.#parts.ledger.stuck || this.draining || this.#returns.awaited) return;
    this.#core.handle({ type: "DispatchResumed" });
  }

  beat(peer: Peer, hello: Hello): () => void {
    const named = this.views.get(hello.session as NodeId);
    // Without a token, whose a node is, is what it says itself.
    const own = peer.bearer?.token === undefined || named?.owner === peer.bearer.owner;
    const view = own ? named : undefined;
    view?.beats.add(peer);
    return () => view?.beats.delete(peer);
  }

  message(view: NodeView, message: MessageFrom<"node">): void {
    switch (message.t) {
      case "solved":
        this.answers.solved(view, message);
        break;
      case "failed":
        this.answers.failed(view, message);
        break;
      case "dropped":
        for (const task of message.tasks) view.given.delete(task);
        this.#core.handle({
          type: "AttemptsDropped",
          node: view.id,
          tasks: message.tasks,
          attempts: message.attempts,
        });
        break;
      case "credit":
        if (message.slots !== undefined) this.#resize(view, message.slots);
        this.#core.handle(
          message.window === 0
            ? { type: "NodeDraining", node: view.id }
            : { type: "NodeWindow", node: view.id, window: Math.max(message.window, view.slots) },
        );
        break;
      case "goodbye":
        this.#leave(view);
        break;
      case "fetch":
        this.answers.fetch(view, message);
        break;
      case "open":
      case "chunk":
      case "grant":
      case "end":
      case "broken":
        if (view.peer === undefined) break;
        if (message.t !== "open" && this.#core.graphs.stream(view.peer, message)) break;
        this.#parts.transfers.message(view, view.peer, message);
        break;
      case "hello":
        throw new FlockworkError("bad_message", "A connection says hello once.");
      case "beat":
        break;
      default:
        this.#core.graphs.node(view, message);
    }
  }

  /** The link is gone: what the node ran may start elsewhere at once. */
  closed(view: NodeView, peer: Peer): void {
    if (view.peer !== peer) return;
    view.peer = undefined;
    this.#parts.transfers.closed(peer);
    this.#core.graphs.closed(peer);
    if (view.state !== "running") return;
    if (peer.hasLeft) {
      this.#leave(view);
      return;
    }
    view.state = "unknown";
    view.leftAt = Date.now();
    this.#parts.log.warn({ node: view.id }, "node is unreachable");
    this.#parts.watch.mishap({
      code: "unreachable",
      message: "Its link broke or fell silent.",
      node: view.id,
    });
    this.#core.handle({ type: "NodeUnreachable", node: view.id });
  }

  /** Cuts links that have been silent for too long; forgets nodes that have been gone for long. `now` as performance.now(). */
  sweep(now: number): void {
    const { silentMs } = this.#parts.limits;
    for (const view of this.views.values()) {
      if (view.peer !== undefined) {
        let heard = view.peer.heardAt(now);
        for (const beat of view.beats) heard = Math.max(heard, beat.heardAt(now));
        if (now - heard > silentMs) {
          this.#parts.log.warn(
            { node: view.id, silentMs: Math.round(now - heard) },
            "node has fallen silent",
          );
          const { peer } = view;
          this.closed(view, peer);
          peer.cut();
          for (const beat of view.beats) beat.cut();
        }
      } else if (view.state === "unknown" && Date.now() - view.leftAt > this.#graceOf(view)) {
        this.#leave(view);
        view.state = "dropped";
      } else if (
        view.state !== "unknown" &&
        Date.now() - view.leftAt > (view.given.size > 0 ? REMEMBER_GIVEN_MS : REMEMBER_MS)
      )
        this.views.delete(view.id);
    }
  }

  /** What something waits for is computed again sooner: a link that is only broken is back by then. */
  #graceOf({ id }: NodeView): number {
    const { graceMs, scheduler } = this.#core;
    return scheduler.withholds(id) ? Math.min(RETURN_MS, graceMs) : graceMs;
  }

  dispatch(node: NodeId, assignments: readonly Assignment<Job>[]): void {
    const view = this.views.get(node);
    this.#parts.counters.dispatched += assignments.length;
    if (view === undefined) return;
    for (const { task } of assignments) view.given.add(task);
    for (const run of runsOf(assignments)) view.peer?.send(run);
  }

  stop(node: NodeId, attempts: readonly AttemptRef[], why: string): void {
    this.views.get(node)?.peer?.send({ t: "stop", why, ...attemptColumns(attempts) });
  }

  recall(node: NodeId, attempts: readonly AttemptRef[]): void {
    this.#parts.counters.recalled += attempts.length;
    this.views.get(node)?.peer?.send({ t: "recall", ...attemptColumns(attempts) });
  }

  quarantined(node: NodeId, untilMs: number, why: string): void {
    const view = this.views.get(node);
    if (view) view.quarantinedUntil = untilMs;
    this.#parts.log.warn({ node, why }, "node is in quarantine");
    this.#parts.watch.mishap({ code: "quarantine", message: `It gets nothing for a while: ${why}.`, node });
  }

  #leave(view: NodeView): void {
    if (view.state === "stopped" || view.state === "dropped") return;
    this.#returns.left(view.id);
    this.#parts.transfers.forget(view);
    view.state = "stopped";
    view.leftAt = Date.now();
    this.#parts.log.info({ node: view.id }, "node left");
    this.#core.handle({ type: "NodeLeft", node: view.id });
    this.#core.graphs.left(view);
  }
}

function attemptRefs(tasks: Float64Array, attempts: Uint16Array): AttemptRef[] {
  return Array.from(tasks, (task, i) => ({ task: task as TaskId, attempt: attempts[i]! }));
}

function attemptColumns(refs: readonly AttemptRef[]): { tasks: Float64Array; attempts: Uint16Array } {
  return {
    tasks: Float64Array.from(refs, (ref) => ref.task),
    attempts: Uint16Array.from(refs, (ref) => ref.attempt),
  };
}
