// What the hub says to nodes and hears from them: joining, running, answers, and nodes that fall silent.
import {
  FlockworkError,
  type Domain,
  type NodeId,
  type NodeKind,
  type NodeState,
  type TaskId,
} from "../ids/index.js";
import type { Kv } from "../backbone/index.js";
import type { Assignment, AttemptRef } from "../scheduler/index.js";
import type { EngineFields, MessageFrom, MessageOf } from "../wire/index.js";
import { blobsOf, gather, streamsOf, type PayloadSource } from "./columns.js";
import { wallClock, type Answers, type HubCore, type HubParts } from "./core.js";
import type { Job, Segment } from "./jobs.js";
import { originsOf } from "./origins.js";
import type { Hello, Peer } from "./peer.js";

/** A node as the hub sees it, also for a while after its link broke. */
export interface NodeView {
  readonly id: NodeId;
  /** Stands for it in columns of numbers. */
  readonly number: number;
  readonly kind: NodeKind;
  readonly domain: Domain;
  readonly instance: string;
  /** Whose token it joined with. */
  readonly owner: string;
  readonly services: readonly string[];
  readonly labels: readonly string[];
  readonly software: string;
  readonly engine: EngineFields | undefined;
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
/** How long a hub that starts waits for the nodes of the one before; a link redials within two seconds, and then must dial. */
const RETURN_MS = 2_500;
const KV_PREFIX = "node/";
/** About the most bytes of one `run`. */
const RUN_BYTES = 2 * 1024 * 1024;

export class NodeDesk {
  readonly views = new Map<NodeId, NodeView>();
  readonly #core: HubCore;
  readonly #parts: HubParts;
  #nextNumber = 0;

  readonly #kv: Kv;
  /** Nodes that were there when the last hub died: they may hold what waits here, so dispatch gives them a moment. */
  readonly #awaited = new Set<string>();

  constructor(core: HubCore, parts: HubParts, kv: Kv) {
    this.#core = core;
    this.#parts = parts;
    this.#kv = kv;
  }

  /** After a restart: holds dispatch until the nodes of before are back, RETURN_MS at most. */
  async expectReturns(jobsWait: boolean): Promise<void> {
    for (const { key } of await this.#kv.list(KV_PREFIX)) {
      await this.#kv.delete(key);
      if (jobsWait) this.#awaited.add(key.slice(KV_PREFIX.length));
    }
    if (this.#awaited.size === 0) return;
    this.#core.handle({ type: "DispatchPaused" });
    setTimeout(() => {
      this.#awaited.clear();
      this.resumeDispatch();
    }, RETURN_MS).unref();
  }

  /** A node's link is there: new, back after a break, or back after the hub's own restart. */
  join(peer: Peer, hello: Hello): NodeView {
    const { node } = hello;
    if (node === undefined)
      throw new FlockworkError("bad_message", "A node's hello must say what the node offers.");
    const id = hello.id as NodeId;
    const known = this.views.get(id);
    const owner = peer.bearer?.owner ?? "local";
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
    const view: NodeView = back
      ? known
      : {
          id,
          number: this.#nextNumber++,
          kind: hello.kind,
          domain: hello.domain as Domain,
          instance: hello.instance,
          owner,
          services: node.services,
          labels: node.labels ?? [],
          software: hello.software,
          engine: node.engine,
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
    // It asks for nothing yet, so it is given nothing: drained before the scheduler counts on it.
    const paused = node.window === 0;
    if (!back)
      this.#core.handle({
        type: "NodeJoined",
        node: id,
        domain: view.domain,
        slots: node.slots,
        window: Math.max(node.window, node.slots),
        services: node.services,
        idempotent: node.idempotent,
        ...(node.memoryMb !== undefined && { memoryMb: node.memoryMb }),
        ...(node.providers && { providers: node.providers }),
        ...(node.labels && { labels: node.labels }),
        resuming: running.length > 0 || paused,
      });
    if (back && !paused)
      this.#core.handle({ type: "NodeWindow", node: id, window: Math.max(node.window, node.slots) });
    if (paused) this.#core.handle({ type: "NodeDraining", node: id });
    if (back || running.length > 0 || paused)
      this.#core.handle({ type: "NodeResumed", node: id, running, values: [] });
    if (this.#awaited.delete(id)) this.resumeDispatch();
    this.#remember(id);
    this.#parts.log.info(
      { node: id, domain: view.domain, slots: node.slots, services: node.services },
      back ? "node is back" : "node joined",
    );
    return view;
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
    if (this.#parts.ledger.stuck || this.draining || this.#awaited.size > 0) return;
    this.#core.handle({ type: "DispatchResumed" });
  }

  beat(peer: Peer, hello: Hello): () => void {
    const named = this.views.get(hello.session as NodeId);
    const view = named?.owner === (peer.bearer?.owner ?? "local") ? named : undefined;
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
        this.#tellFailed(view, message);
        this.#core.handle({ type: "AttemptFailed", node: view.id, ...message, task: message.task as TaskId });
        view.peer?.send({
          t: "stored",
          tasks: Float64Array.of(message.task),
          attempts: Uint16Array.of(message.attempt),
        });
        break;
      case "dropped":
        this.#core.handle({
          type: "AttemptsDropped",
          node: view.id,
          tasks: message.tasks,
          attempts: message.attempts,
        });
        break;
      case "credit":
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
        this.#fetch(view, message);
        break;
      case "open":
      case "chunk":
      case "grant":
      case "end":
      case "broken":
        if (view.peer !== undefined) this.#parts.transfers.message(view, view.peer, message);
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
    if (view.state !== "running") return;
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
      } else if (view.state === "unknown" && Date.now() - view.leftAt > this.#core.graceMs) {
        this.#leave(view);
        view.state = "dropped";
      } else if (view.state !== "unknown" && Date.now() - view.leftAt > REMEMBER_MS)
        this.views.delete(view.id);
    }
  }

  dispatch(node: NodeId, assignments: readonly Assignment<Job>[]): void {
    const view = this.views.get(node);
    this.#parts.counters.dispatched += assignments.length;
    for (let from = 0; from < assignments.length;) {
      const first = assignments[from]!;
      let to = from + 1;
      let bytes = payloadBytes(first.tag);
      const fits = (a: Assignment<Job>) =>
        a.service === first.service &&
        a.attemptTimeoutMs === first.attemptTimeoutMs &&
        (bytes += payloadBytes(a.tag)) < RUN_BYTES;
      while (to < assignments.length && fits(assignments[to]!)) to++;
      this.#send(view, from === 0 && to === assignments.length ? assignments : assignments.slice(from, to));
      from = to;
    }
  }

  /** What lies in blobs is only named: the node fetches it. */
  #send(view: NodeView | undefined, group: readonly Assignment<Job>[]): void {
    const n = group.length;
    const sources = group.flatMap(sourcesOf);
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
    view?.peer?.send({
      t: "run",
      service,
      attemptTimeoutMs: Math.max(0, Math.ceil(attemptTimeoutMs)),
      tasks,
      attempts,
      ...originsOf(group),
      ...(inputs && { inputs }),
      ...gather(sources),
      ...streamsOf(blobsOf(sources)),
    });
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

  #tellFailed(view: NodeView, { task, attempt, code, message }: MessageOf<"failed">): void {
    const { scheduler } = this.#core;
    const job = scheduler.task(task as TaskId)?.tag;
    let ms = 0;
    for (const run of scheduler.running(view.id))
      if (run.task === task && run.attempt === attempt) ms = wallClock() - run.startedAt;
    this.#parts.watch.attemptFailed(view, job, { code, message }, ms);
  }

  #solved(view: NodeView, message: MessageOf<"solved">): void {
    const n = message.tasks.length;
    if (message.kinds.length !== n || message.ms.length !== n)
      throw new FlockworkError(
        "bad_message",
        `"solved" names ${n} tasks but ${message.kinds.length} payloads.`,
      );
    const { tasks, attempts, ms } = message;
    const answers = this.#claim(view, message);
    if (answers === undefined) return;
    const { counters } = this.#parts;
    const before = counters.solved;
    this.#core.handle({ type: "AttemptsDone", node: view.id, tasks, attempts, ms }, answers);
    counters.superseded += n - (counters.solved - before);
    this.#core.clients.confirm(view, answers);
  }

  /** An answer that was uploaded comes alone. Undefined where the upload is not here: the node hears of it. */
  #claim(view: NodeView, message: MessageOf<"solved">): Answers | undefined {
    const { streams, ...answers } = message;
    view.solved += answers.tasks.length;
    const first = streams?.[0];
    if (first === undefined) return answers;
    if (answers.tasks.length !== 1)
      throw new FlockworkError(
        "bad_message",
        `An uploaded answer comes alone, not with ${answers.tasks.length - 1} others.`,
      );
    try {
      const { hash, bytes } = this.#parts.transfers.claim(view, first[1]);
      return { ...answers, blobs: [[0, hash, bytes]] };
    } catch (error) {
      if (!(error instanceof FlockworkError)) throw error;
      view.solved--;
      view.peer?.send({ t: "broken", id: first[1], code: error.code, message: error.message });
      return undefined;
    }
  }

  /** A payload of a task that the node holds. */
  #fetch(view: NodeView, message: MessageOf<"fetch">): void {
    const { id, of } = message;
    const task = "task" in of ? this.#core.scheduler.task(of.task as TaskId) : undefined;
    const source =
      "task" in of && task?.nodes.includes(view.id) ? sourcesOf({ tag: task.tag })[of.index] : undefined;
    const blob = source?.segment.blobs?.get(source.index);
    if (blob !== undefined && view.peer !== undefined) this.#parts.transfers.fetch(view.peer, message, blob);
    else
      view.peer?.send({
        t: "broken",
        id,
        code: "bad_argument",
        message: "There is no payload to be fetched here for a task that this node holds.",
      });
  }

  /** Notes that the node is here, for the hub that comes after this one; a full disk only costs that hub a little patience. */
  #remember(id: NodeId): void {
    this.#kv
      .put(KV_PREFIX + id, new Uint8Array())
      .catch((error: unknown) => this.#parts.log.debug({ err: error }, "node not noted"));
  }

  #leave(view: NodeView): void {
    if (view.state === "stopped" || view.state === "dropped") return;
    this.#kv
      .delete(KV_PREFIX + view.id)
      .catch((error: unknown) => this.#parts.log.debug({ err: error }, "node still noted"));
    this.#parts.transfers.forget(view);
    view.state = "stopped";
    view.leftAt = Date.now();
    this.#parts.log.info({ node: view.id }, "node left");
    this.#core.handle({ type: "NodeLeft", node: view.id });
  }
}

/** Bytes of a job's payloads that travel in its `run`. */
function payloadBytes(job: Job): number {
  let bytes = 0;
  for (const { segment, index } of sourcesOf({ tag: job }))
    if (!segment.blobs?.has(index)) bytes += segment.lengthOf(index);
  return bytes;
}

function sourcesOf({ tag }: { readonly tag: Job }): PayloadSource[] {
  const own = { segment: tag.source, index: tag.index };
  if (tag.inputs.length === 0) return [own];
  return [
    own,
    ...tag.inputs.map((input) => ({ segment: input.result as Segment, index: input.resultIndex })),
  ];
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
