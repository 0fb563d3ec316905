// Nodes that compute programs: what they are given, what they answer, what they hold.
import { createHash } from "node:crypto";
import { FlockworkError, type TaskId } from "../../ids/index.js";
import type { Assignment, ValueRef } from "../../scheduler/index.js";
import { packPayloads, unpackPayloads, type MessageOf, type Payload } from "../../wire/index.js";
import type { HubCore, HubParts } from "../core.js";
import { bytesPerMsOf } from "../node-offer.js";
import type { NodeView } from "../node-view.js";
import type { Audit } from "./audit.js";
import { GraphCopy } from "./graph-copy.js";
import { GraphTask, type GraphValue } from "./graph.js";
import { isTrusted } from "./owners.js";
import { bytesOf, misfit } from "./output-type.js";
import type { Programs } from "./programs.js";
import { chunksOf, type Sources } from "./sources.js";
import type { ValueTable } from "./value-table.js";

export type NodeGraphMessage = MessageOf<"computed" | "holds" | "probe" | "link">;

/** How a tensor's payload is marked. */
const TENSOR = 3;
/** About the most bytes of one `compute`, and the most tasks. */
const COMPUTE_BYTES = 1024 * 1024;
const COMPUTE_TASKS = 1024;

/** What a node answers where an input is not what it must be: it may be the input's maker who is to blame. */
const SUSPICIOUS = new Set(["wrong_result", "program_error", "program_refused"]);

export class NodeGraphs {
  constructor(
    private readonly core: HubCore,
    private readonly parts: HubParts,
    private readonly table: ValueTable,
    private readonly programs: Programs,
    private readonly sources: Sources,
    private readonly audit: Audit,
  ) {}

  message(view: NodeView, message: NodeGraphMessage): void {
    switch (message.t) {
      case "computed":
        this.#computed(view, message);
        break;
      case "holds":
        this.#holds(view, message);
        break;
      case "probe":
        view.peer?.send({ t: "echo", id: message.id, data: new Uint8Array(message.reply) });
        break;
      case "link": {
        if (view.engine === undefined) break;
        const { linkMs, up, down } = message;
        view.engine = { ...view.engine, linkMs, up, down };
        const bytesPerMs = bytesPerMsOf(view.engine);
        if (bytesPerMs !== undefined) this.core.handle({ type: "NodeLink", node: view.id, bytesPerMs });
        break;
      }
      default:
        message satisfies never;
    }
  }

  /** What a node has from before: of graphs that are known here, and of others, whose clients may come. */
  held(view: NodeView, held: { names: Uint8Array; bytes: Float64Array } | undefined) {
    const known: { value: ValueRef; bytes: number }[] = [];
    if (held === undefined) return known;
    if (held.names.length !== 32 * held.bytes.length)
      throw new FlockworkError(
        "bad_message",
        `A hello names ${held.names.length / 32} values and the bytes of ${held.bytes.length}.`,
      );
    const drop: string[] = [];
    const text = Buffer.from(held.names.buffer, held.names.byteOffset, held.names.length).toString("hex");
    for (let i = 0; i < held.bytes.length; i++) {
      const name = text.slice(64 * i, 64 * i + 64);
      const value = this.table.named(name);
      if (value === undefined) this.table.stray(name, held.bytes[i]!, view.id);
      else if (value.graph.session.domain === view.domain)
        known.push({ value: value.ref, bytes: held.bytes[i]! });
      else drop.push(name);
    }
    if (drop.length > 0) view.peer?.send({ t: "drop", names: drop });
    return known;
  }

  /** What a node holds all outputs of need not be computed: it was, under an earlier hub, whose client was quicker to come back. */
  found(view: NodeView, held: readonly { readonly value: ValueRef; readonly bytes: number }[]): void {
    const byTask = new Map<TaskId, Map<number, number>>();
    for (const { value, bytes } of held)
      byTask.set(value.task, (byTask.get(value.task) ?? new Map<number, number>()).set(value.output, bytes));
    for (const [task, outputs] of byTask) {
      const known = this.core.scheduler.task(task);
      const tag = known?.tag;
      if (!(tag instanceof GraphTask) || tag.state !== "open" || known!.nodes.length > 0) continue;
      const bytes = tag.values.map(({ ref }) => outputs.get(ref.output));
      if (!bytes.every((one) => one !== undefined)) continue;
      for (const [output, value] of tag.values.entries()) value.bytes = bytes[output]!;
      tag.madeBy((tag.node = view.id));
      if (tag instanceof GraphCopy) tag.owner = view.owner;
      this.core.handle({
        type: "AttemptsDone",
        node: view.id,
        tasks: [task],
        attempts: [0],
        values: [bytes],
      });
    }
  }

  /** Nobody has asked for what the nodes hold from before. */
  dropStrays(view: NodeView): void {
    const names = this.table.forgetStrays(view.id);
    if (names.length > 0) view.peer?.send({ t: "drop", names });
  }

  dispatch(view: NodeView | undefined, assignments: readonly Assignment<GraphTask>[]): void {
    for (let from = 0; from < assignments.length;) {
      const list: MessageOf<"compute">["list"] = [];
      const along = new Map<string, Payload>();
      let bytes = 0;
      for (; from < assignments.length && list.length < COMPUTE_TASKS && bytes < COMPUTE_BYTES; from++) {
        const { task, attempt, tag, attemptTimeoutMs } = assignments[from]!;
        view?.given.add(task);
        const nameHere = (value: GraphValue): string => value.nameAt(view?.id ?? "");
        for (const value of tag.inputs)
          if (value.data !== undefined && !along.has(nameHere(value))) {
            along.set(nameHere(value), { kind: TENSOR, bytes: value.data });
            bytes += value.data.length;
          }
        list.push({
          task,
          attempt,
          program: tag.spec.program,
          timeoutMs: Math.max(0, Math.ceil(attemptTimeoutMs)),
          inputs: tag.inputs.map((value) => ({
            name: nameHere(value),
            bytes: Math.max(0, value.bytes),
            ...(value.sha256 !== undefined && { sha256: value.sha256 }),
          })),
          outputs: tag.values.map(({ name }) => name),
          ...(tag instanceof GraphCopy && { hashed: true }),
        });
      }
      view?.peer?.send({
        t: "compute",
        list,
        names: [...along.keys()],
        ...packPayloads([...along.values()]),
      });
    }
  }

  /** A node may have the values of its domain: their names are known to nobody who was not told. */
  fetch(view: NodeView, message: MessageOf<"fetch">): void {
    const { of, id } = message;
    const { peer, domain } = view;
    if (peer === undefined) return;
    if ("program" in of) {
      const model = this.programs.get(domain, of.program);
      if (model !== undefined) {
        const open = (from: number) => chunksOf(model, from);
        this.parts.transfers.serve(peer, message, { bytes: model.length, open, done: () => undefined });
        return;
      }
    } else if ("value" in of) {
      const value = this.table.named(of.value);
      if (value?.graph.session.domain === domain) {
        this.sources.send(peer, message, value);
        return;
      }
    }
    peer.send({ t: "broken", id, code: "value_lost", message: "Nothing of that name is here (any more)." });
  }

  /**
   * Whether a failure is not for the scheduler, or not yet. A node could not get an input: if that is gone, nobody is to blame,
   * and the task waits until it is there again. It could not use one: perhaps somebody gave what it should not have.
   */
  failed(view: NodeView, message: MessageOf<"failed">): boolean {
    const tag = this.core.scheduler.task(message.task as TaskId)?.tag;
    if (!(tag instanceof GraphTask)) return false;
    if (SUSPICIOUS.has(message.code)) {
      void this.#blame(view, tag, message);
      return true;
    }
    if (message.code !== "value_lost") return false;
    const there = ({ ref, data, blob }: GraphValue): boolean =>
      data !== undefined || blob !== undefined || this.core.scheduler.places(ref).length > 0;
    if (tag.inputs.every(there)) return false;
    this.#drop(view, message);
    return true;
  }

  /** An attempt failed: for an input that somebody gave wrongly, or through its node's or its program's own fault. */
  async #blame(
    view: NodeView,
    tag: GraphTask,
    {
      task,
      attempt,
      code,
      message,
      retry,
    }: Pick<MessageOf<"failed">, "task" | "attempt" | "code" | "message" | "retry">,
  ): Promise<void> {
    if (await this.audit.values(tag.inputs, view.id)) {
      this.#drop(view, { task, attempt });
      return;
    }
    // Where nobody else could do it, it is tried again, and the graph hears why it fails.
    if (code === "wrong_result" && this.#others(view))
      this.audit.distrust(view.id, tag.graph, `task ${tag.number} of graph ${tag.graph.id}: ${message}`);
    this.core.handle({
      type: "AttemptFailed",
      node: view.id,
      task: task as TaskId,
      ...{ attempt, code, message, retry },
    });
  }

  #others({ id, domain }: NodeView): boolean {
    for (const view of this.core.nodes.views.values())
      if (view.id !== id && view.domain === domain && isTrusted(view)) return true;
    return false;
  }

  /** The attempt is over, and nobody is to blame for it. */
  #drop({ id }: NodeView, { task, attempt }: { readonly task: number; readonly attempt: number }): void {
    this.core.handle({ type: "AttemptsDropped", node: id, tasks: [task], attempts: [attempt] });
  }

  #computed(view: NodeView, message: MessageOf<"computed">): void {
    const { task, attempt, ms } = message;
    this.core.nodes.answers.checkGiven(view, [task]);
    view.given.delete(task);
    const known = this.core.scheduler.task(task as TaskId);
    const tag = known?.tag;
    const stored = { tasks: Float64Array.of(task), attempts: Uint16Array.of(attempt) };
    if (tag instanceof GraphTask) {
      const counts = known?.nodes.includes(view.id) === true;
      const wrong = this.#take(tag, message, counts);
      if (wrong !== undefined) {
        view.failed++;
        this.parts.counters.attemptsFailed++;
        void this.#blame(view, tag, { task, attempt, code: "wrong_result", message: wrong, retry: true });
        view.peer?.send({ t: "stored", ...stored });
        view.peer?.send({ t: "drop", names: tag.values.map(({ name }) => name) });
        return;
      }
      tag.madeBy(view.id);
      if (counts) {
        tag.node = view.id;
        if (tag.state === "open") tag.ms = ms;
        if (tag instanceof GraphCopy) {
          tag.sha256 = message.sha256;
          tag.owner = view.owner;
        }
      }
    }
    view.solved++;
    this.parts.counters.computed++;
    this.parts.watch.computed(view, ms);
    this.core.handle({
      type: "AttemptsDone",
      node: view.id,
      tasks: [task],
      attempts: [attempt],
      ms: [ms],
      values: [Array.from(message.bytes)],
      atHub: [message.small],
    });
    view.peer?.send({ t: "stored", ...stored });
  }

  /** Keeps the small outputs. Returns what is wrong with an answer that does not fit. */
  #take(tag: GraphTask, message: MessageOf<"computed">, counts: boolean): string | undefined {
    const { bytes, small, sha256 } = message;
    if (bytes.length !== tag.values.length)
      return `It answered ${bytes.length} outputs of ${tag.values.length}.`;
    const payloads = unpackPayloads(message);
    if (
      payloads.length !== small.length ||
      !small.every((output, i) => bytes[output] === payloads[i]!.bytes.length)
    )
      return "The outputs it sent along are not those that it named.";
    for (const [output, { type }] of tag.values.entries()) {
      const needed = type && bytesOf(type);
      if (needed !== undefined && needed !== bytes[output])
        return `Its output ${output} has ${bytes[output]} bytes, and its program makes ${needed}.`;
    }
    for (const [i, output] of small.entries()) {
      const { type } = tag.values[output]!;
      const fault = type && misfit(type, bytes[output]!, payloads[i]!.bytes);
      if (fault !== undefined) return `Its output ${output} does not fit: ${fault}.`;
    }
    if (tag instanceof GraphCopy) {
      if (sha256?.length !== tag.values.length) return "It does not say what its outputs hash to.";
      for (const [i, output] of small.entries())
        if (createHash("sha256").update(payloads[i]!.bytes).digest("hex") !== sha256[output])
          return `Its output ${output} does not hash to what it says.`;
    }
    const again = counts && tag instanceof GraphCopy;
    for (const [output, value] of tag.values.entries())
      if (value.bytes < 0 || again) value.bytes = bytes[output]!;
    for (const [i, output] of small.entries()) {
      const value = tag.values[output]!;
      // A copy: the bytes are part of a frame.
      if (value.data === undefined || again) value.data = new Uint8Array(payloads[i]!.bytes);
    }
    return undefined;
  }

  #holds(view: NodeView, { names, bytes }: MessageOf<"holds">): void {
    if (names.length !== bytes.length)
      throw new FlockworkError("bad_message", `"holds" has ${names.length} names, ${bytes.length} sizes.`);
    const drop: string[] = [];
    for (const [i, name] of names.entries()) {
      const value = this.table.named(name);
      const size = bytes[i]!;
      if (value?.graph.session.domain !== view.domain) {
        if (size >= 0) drop.push(name);
      } else if (size < 0) this.core.handle({ type: "ValueLost", value: value.ref, place: view.id });
      else this.core.handle({ type: "ValueCopied", value: value.ref, bytes: size, place: view.id });
    }
    if (drop.length > 0) view.peer?.send({ t: "drop", names: drop });
  }
}
