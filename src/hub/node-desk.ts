// What the hub says to nodes and hears from them: joining, running, answers, and nodes that fall silent.
import { FlockworkError, type Domain, type NodeId, type NodeKind, type NodeState, type TaskId } from "../ids/index.js";
import type { Assignment, AttemptRef } from "../scheduler/index.js";
import type { MessageFrom, MessageOf } from "../wire/index.js";
import { gather, payloadAt, type PayloadSource } from "./columns.js";
import type { HubCore, HubParts } from "./core.js";
import type { Job, Segment } from "./jobs.js";
import type { Hello, Peer } from "./peer.js";

/** A node as the hub sees it, also for a while after its link broke. */
export interface NodeView {
  readonly id: NodeId;
  readonly kind: NodeKind;
  readonly domain: Domain;
  readonly instance: string;
  readonly services: readonly string[];
  readonly slots: number;
  readonly joinedAt: number;
  peer: Peer | undefined;
  /** Connections that only beat; any byte of theirs is a sign of life. */
  readonly beats: Set<Peer>;
  state: NodeState;
  solved: number;
  failed: number;
  quarantinedUntil: number;
  leftAt: number;
}

/** How long a node that is gone stays in /api/nodes as dropped. */
const REMEMBER_MS = 60_000;

export class NodeDesk {
  readonly views = new Map<NodeId, NodeView>();
  readonly #core: HubCore;
  readonly #parts: HubParts;

  constructor(core: HubCore, parts: HubParts) {
    this.#core = core;
    this.#parts = parts;
  }

  /** A node's link is there: new, back after a break, or back after the hub's own restart. */
  join(peer: Peer, hello: Hello): NodeView {
    const { node } = hello;
    if (node === undefined) throw new FlockworkError("bad_message", "A node's hello must say what the node offers.");
    const id = hello.id as NodeId;
    const known = this.views.get(id);
    if (known !== undefined && known.instance !== hello.instance) {
      if (known.peer !== undefined)
        throw new FlockworkError("session_taken", `A live node is called ${id}; a node's id must be its own.`);
      this.#core.handle({ type: "NodeLeft", node: id });
    }
    const back = known !== undefined && known.instance === hello.instance && known.state !== "dropped";
    // A half-open link may still look alive here when the node has already made a new one.
    if (back) known.peer?.cut();
    const view: NodeView = back
      ? known
      : {
          id,
          kind: hello.kind,
          domain: hello.domain as Domain,
          instance: hello.instance,
          services: node.services,
          slots: node.slots,
          joinedAt: Date.now(),
          peer,
          beats: new Set(),
          state: "running",
          solved: 0,
          failed: 0,
          quarantinedUntil: 0,
          leftAt: 0,
        };
    view.peer = peer;
    view.state = "running";
    this.views.set(id, view);
    const running = attemptRefs(node.tasks, node.attempts);
    // While it joins it must not be given what it already holds.
    this.#core.handle({ type: "DispatchPaused" });
    if (!back)
      this.#core.handle({
        type: "NodeJoined",
        node: id,
        domain: view.domain,
        slots: node.slots,
        window: Math.max(node.window, node.slots),
        services: node.services,
        idempotent: node.idempotent,
      });
    if (back || running.length > 0) this.#core.handle({ type: "NodeResumed", node: id, running, values: [] });
    if (!this.#parts.ledger.stuck && !this.draining) this.#core.handle({ type: "DispatchResumed" });
    this.#parts.log.info({ node: id, domain: view.domain, slots: node.slots, services: node.services }, back ? "node is back" : "node joined");
    return view;
  }

  /** Set while the hub shuts down: it dispatches nothing more. */
  draining = false;

  beat(peer: Peer, hello: Hello): () => void {
    const view = this.views.get(hello.session as NodeId);
    view?.beats.add(peer);
    return () => view?.beats.delete(peer);
  }

  message(view: NodeView, message: MessageFrom<"node">): void {
    switch (message.t) {
      case "solved":
        this.#solved(view, message);
        break;
      case "failed":
        view.failed++;
        this.#parts.counters.attemptsFailed++;
        this.#core.handle({ type: "AttemptFailed", node: view.id, ...message, task: message.task as TaskId });
        view.peer?.send({ t: "stored", tasks: Float64Array.of(message.task), attempts: Uint16Array.of(message.attempt) });
        break;
      case "dropped":
        this.#core.handle({ type: "AttemptsDropped", node: view.id, tasks: message.tasks, attempts: message.attempts });
        break;
      case "credit":
        this.#core.handle({ type: "NodeWindow", node: view.id, window: Math.max(message.window, view.slots) });
        break;
      case "goodbye":
        this.#leave(view);
        break;
      case "hello":
        throw new FlockworkError("bad_message", "A connection says hello once.");
      case "beat":
        break;
      default:
        message satisfies never;
    }
  }

  /** The link is gone: what the node ran may start elsewhere at once. */
  closed(view: NodeView, peer: Peer): void {
    if (view.peer !== peer) return;
    view.peer = undefined;
    if (view.state !== "running") return;
    view.state = "unknown";
    view.leftAt = Date.now();
    this.#parts.log.warn({ node: view.id }, "node is unreachable");
    this.#core.handle({ type: "NodeUnreachable", node: view.id });
  }

  /** Cuts links that have been silent for too long; forgets nodes that have been gone for long. `now` as performance.now(). */
  sweep(now: number): void {
    const { silentMs } = this.#parts.limits;
    for (const view of this.views.values()) {
      if (view.peer !== undefined) {
        let heard = view.peer.lastHeard;
        for (const beat of view.beats) heard = Math.max(heard, beat.lastHeard);
        if (now - heard > silentMs) {
          this.#parts.log.warn({ node: view.id, silentMs: Math.round(now - heard) }, "node has fallen silent");
          const { peer } = view;
          this.closed(view, peer);
          peer.cut();
          for (const beat of view.beats) beat.cut();
        }
      } else if (view.state === "unknown" && Date.now() - view.leftAt > this.#core.scheduler.options.graceMs) {
        this.#leave(view);
        view.state = "dropped";
      } else if (view.state !== "unknown" && Date.now() - view.leftAt > REMEMBER_MS) this.views.delete(view.id);
    }
  }

  dispatch(node: NodeId, assignments: readonly Assignment<Job>[]): void {
    const view = this.views.get(node);
    this.#parts.counters.dispatched += assignments.length;
    for (let from = 0; from < assignments.length; ) {
      const first = assignments[from]!;
      let to = from + 1;
      const alike = (a: Assignment<Job>) =>
        a.service === first.service && a.attemptTimeoutMs === first.attemptTimeoutMs && lies(a.tag) === lies(first.tag);
      if (lies(first.tag) === "here") while (to < assignments.length && alike(assignments[to]!)) to++;
      const group = from === 0 && to === assignments.length ? assignments : assignments.slice(from, to);
      if (lies(first.tag) === "here") this.#send(view, group, group.flatMap(sourcesOf));
      else void this.#readAndSend(view, group);
      from = to;
    }
  }

  async #readAndSend(view: NodeView | undefined, group: readonly Assignment<Job>[]): Promise<void> {
    const peer = view?.peer;
    try {
      const sources = await Promise.all(
        group.flatMap(sourcesOf).map(async (source): Promise<PayloadSource> => {
          const blob = source.segment?.blobs?.get(source.index);
          if (blob === undefined || source.segment === undefined) return source;
          return { kind: payloadAt(source.segment, source.index).kind, bytes: await this.#parts.blobs.read(blob.hash) };
        }),
      );
      // If the link broke meanwhile, the node's return will show that it does not have these.
      if (view?.peer === peer) this.#send(view, group, sources);
    } catch (error) {
      this.#parts.log.error({ err: error, node: view?.id }, "a job's payload can not be read");
      for (const { task, attempt } of group)
        if (view !== undefined)
          this.#core.handle({
            type: "AttemptFailed",
            node: view.id,
            task,
            attempt,
            code: "internal",
            message: `The hub can not read this job's payload: ${error instanceof Error ? error.message : String(error)}`,
            retry: true,
          });
    }
  }

  #send(view: NodeView | undefined, group: readonly Assignment<Job>[], sources: readonly PayloadSource[]): void {
    const n = group.length;
    const { service, attemptTimeoutMs } = group[0]!;
    const tasks = new Float64Array(n);
    const attempts = new Uint16Array(n);
    let inputs: Uint16Array | undefined;
    for (let i = 0; i < n; i++) {
      const { task, attempt, tag } = group[i]!;
      tasks[i] = task;
      attempts[i] = attempt;
      if (tag.inputs.length > 0) (inputs ??= new Uint16Array(n).fill(1))[i] = 1 + tag.inputs.length;
    }
    view?.peer?.send({ t: "run", service, attemptTimeoutMs, tasks, attempts, ...(inputs && { inputs }), ...gather(sources) });
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
  }

  #solved(view: NodeView, message: MessageOf<"solved">): void {
    const n = message.tasks.length;
    if (message.kinds.length !== n || message.ms.length !== n)
      throw new FlockworkError("bad_message", `"solved" names ${n} tasks but ${message.kinds.length} payloads.`);
    view.solved += n;
    const { tasks, attempts, ms } = message;
    this.#core.handle({ type: "AttemptsDone", node: view.id, tasks, attempts, ms }, message);
    this.#core.clients.confirm(view, message);
  }

  #leave(view: NodeView): void {
    if (view.state === "stopped" || view.state === "dropped") return;
    view.state = "stopped";
    view.leftAt = Date.now();
    this.#parts.log.info({ node: view.id }, "node left");
    this.#core.handle({ type: "NodeLeft", node: view.id });
  }
}

/** Whether all payloads of a job are in memory, or some must be read from blobs first. */
function lies(job: Job): "here" | "blob" {
  if (job.source.blobs?.has(job.index)) return "blob";
  return job.inputs.some((input) => input.result?.blobs?.has(input.resultIndex)) ? "blob" : "here";
}

function sourcesOf({ tag }: Assignment<Job>): PayloadSource[] {
  const own = { segment: tag.source, index: tag.index };
  if (tag.inputs.length === 0) return [own];
  return [own, ...tag.inputs.map((input) => ({ segment: input.result as Segment, index: input.resultIndex }))];
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
