// Tasks that several owners' nodes compute, for results that need not be believed. Each copy is a task of the scheduler; the
// task itself is "computed" by the hub, by comparing them: its outputs are those of a copy that others agree with.
import { FlockworkError, type Domain, type NodeId, type TaskId } from "../../ids/index.js";
import type { Assignment } from "../../scheduler/index.js";
import type { HubCore, HubParts } from "../core.js";
import type { NodeView } from "../node-view.js";
import { alike, difference } from "./agreement.js";
import { GraphCopy } from "./graph-copy.js";
import type { GraphTask } from "./graph.js";
import type { Sources } from "./sources.js";
import type { ValueTable } from "./value-table.js";

/** The service of the hub's own place in the scheduler. */
export const VERIFY_SERVICE = "verify";
const MAX_COPIES = 5;
/** How long a node that gave a wrong result gets nothing. */
export const DISTRUST_MS = 10 * 60_000;
/** Labels of the hub's own: no operator's begins like this. */
const ownerLabel = (owner: string): string => `@owner ${owner}`;
const sideLabel = (sides: number, side: number): string => `@side ${side} of ${sides}`;

/** How copies enter the scheduler. */
export type SubmitCopies = (copies: readonly GraphCopy[], labels: readonly string[]) => void;

export class Replicas {
  /** Owners of a domain in the order in which they came: where each stands decides which copies its nodes get. */
  readonly #owners = new Map<Domain, string[]>();
  readonly #verifiers = new Set<Domain>();
  readonly #copies = new Map<GraphTask, GraphCopy[]>();
  /** Attempts at comparing that wait for a further copy. */
  readonly #open = new Map<GraphTask, { readonly attempt: number; busy: boolean }>();

  constructor(
    private readonly core: HubCore,
    private readonly parts: HubParts,
    private readonly sources: Sources,
    private readonly table: ValueTable,
    private readonly submit: SubmitCopies,
  ) {}

  /** What a node's place among the owners lets it be asked for. */
  labels(domain: Domain, owner: string): string[] {
    const owners = this.#owners.get(domain) ?? [];
    this.#owners.set(domain, owners);
    if (!owners.includes(owner)) {
      // In the place of one who is gone, so that neither side stays empty.
      const present = this.#present(domain);
      const gone = owners.findIndex((other) => !present.has(other));
      if (gone >= 0) owners[gone] = owner;
      else owners.push(owner);
    }
    const at = owners.indexOf(owner);
    const sides = Array.from({ length: MAX_COPIES - 1 }, (_, i) => sideLabel(i + 2, at % (i + 2)));
    return [ownerLabel(owner), ...sides];
  }

  /** The copies of tasks that want `replicas` of them. Throws `limit` where there are not so many owners. */
  plan(task: GraphTask, first: TaskId): GraphCopy[] {
    const { domain } = task.graph.session;
    const owners = this.#present(domain);
    if (owners.size < task.replicas)
      throw new FlockworkError(
        "limit",
        `replicas: ${task.replicas} needs nodes of ${task.replicas} owners; here are ${owners.size}${owners.size > 0 ? ` (${[...owners].join(", ")})` : ""}. Start nodes with --owner, or with tokens of several owners.`,
      );
    this.#verifier(domain);
    const copies = Array.from(
      { length: task.replicas },
      (_, i) => new GraphCopy(task, i, (first + i) as TaskId),
    );
    this.#copies.set(task, copies);
    for (const [i, copy] of copies.entries()) this.submit([copy], [sideLabel(task.replicas, i)]);
    return copies;
  }

  /** The scheduler has all copies of these tasks. */
  verify(assignments: readonly Assignment<GraphTask>[]): void {
    for (const { tag, attempt } of assignments) {
      this.#open.set(tag, { attempt, busy: false });
      void this.#compare(tag);
    }
  }

  /** A copy is there. */
  copied(copy: GraphCopy): void {
    copy.state = "done";
    if (this.#open.has(copy.of)) void this.#compare(copy.of);
  }

  /** A copy will not come: the task fails for the same reason. */
  failed(copy: GraphCopy, code: string, message: string): void {
    copy.state = "failed";
    copy.failure = { code, message };
    if (this.#open.has(copy.of)) this.#fail(copy.of, message);
  }

  copiesOf(task: GraphTask): readonly GraphCopy[] {
    return this.#copies.get(task) ?? [];
  }

  forget(task: GraphTask): void {
    this.#copies.delete(task);
    this.#open.delete(task);
  }

  async #compare(task: GraphTask): Promise<void> {
    const open = this.#open.get(task);
    if (open === undefined || open.busy) return;
    open.busy = true;
    try {
      const copies = this.copiesOf(task).filter(({ state }) => state === "done");
      for (const copy of copies) {
        const agree: GraphCopy[] = [];
        for (const other of copies) if (other === copy || (await this.#agree(copy, other))) agree.push(other);
        if (agree.length < Math.min(2, task.replicas) || 2 * agree.length <= copies.length) continue;
        this.#settle(
          task,
          copy,
          copies.filter((other) => !agree.includes(other)),
        );
        return;
      }
      this.#another(task, copies);
    } catch (error) {
      this.#fail(task, error instanceof FlockworkError ? error.message : String(error));
    } finally {
      open.busy = false;
    }
  }

  async #agree(a: GraphCopy, b: GraphCopy): Promise<boolean> {
    if (a.sha256 !== undefined && a.sha256.join() === b.sha256?.join()) return true;
    const [one, two] = [a, b].map(({ node }) => this.core.nodes.views.get(node as NodeId)?.engine);
    if (alike(one, two)) return false;
    for (const [output, value] of a.values.entries()) {
      const [x, y] = await Promise.all([this.#bytes(value), this.#bytes(b.values[output]!)]);
      if (difference(x, y) !== undefined) return false;
    }
    return true;
  }

  async #bytes(value: GraphCopy["values"][number]): Promise<Uint8Array> {
    await this.sources.ready(value);
    const pieces: Uint8Array[] = [];
    for await (const piece of this.sources.read(value)) pieces.push(piece);
    return pieces.length === 1 ? pieces[0]! : new Uint8Array(Buffer.concat(pieces));
  }

  /** The task's outputs are those of this copy; who gave others is named and left alone. */
  #settle(task: GraphTask, winner: GraphCopy, liars: readonly GraphCopy[]): void {
    const { attempt } = this.#open.get(task)!;
    this.#open.delete(task);
    for (const liar of liars) {
      const why = `it gave another result for task ${task.number} of graph ${task.graph.id} than ${winner.node} and others`;
      this.parts.log.warn(
        { node: liar.node, graph: task.graph.id, task: task.number },
        "a node gave a wrong result",
      );
      task.graph.session.peer?.send({
        t: "notice",
        code: "wrong_result",
        message: `${liar.node} is in quarantine: ${why}.`,
        fatal: false,
      });
      this.core.handle({ type: "NodeDistrusted", node: liar.node as NodeId, forMs: DISTRUST_MS, why });
    }
    task.node = winner.node;
    task.ms = winner.ms;
    const small: number[] = [];
    for (const [output, value] of task.values.entries()) {
      value.adopt(winner.values[output]!, winner.sha256?.[output]);
      this.table.rename(value);
      if (value.data !== undefined) small.push(output);
    }
    const verifier = verifierOf(task.graph.session.domain);
    const bytes = winner.values.map(({ bytes }) => bytes);
    this.core.handle({
      type: "AttemptsDone",
      node: verifier,
      tasks: [task.task],
      attempts: [attempt],
      ms: [0],
      values: [bytes],
      atHub: [small],
    });
    // What is large lies at the winner's node, not here.
    for (const [output, { ref }] of task.values.entries()) {
      if (small.includes(output)) continue;
      for (const place of this.core.scheduler.places(winner.values[output]!.ref))
        this.core.handle({ type: "ValueCopied", value: ref, bytes: bytes[output]!, place });
      this.core.handle({ type: "ValueLost", value: ref, place: verifier });
    }
    const others = this.copiesOf(task).filter((copy) => copy !== winner);
    this.core.handle({
      type: "ValuesReleased",
      values: others.flatMap(({ values }) => values.map(({ ref }) => ref)),
    });
  }

  /** They differ: a node of another owner decides. */
  #another(task: GraphTask, copies: readonly GraphCopy[]): void {
    const all = this.copiesOf(task);
    if (all.some(({ state }) => state === "open")) return;
    const asked = new Set(copies.map(({ node }) => this.core.nodes.views.get(node as NodeId)?.owner));
    const free = [...this.#present(task.graph.session.domain)].filter((owner) => !asked.has(owner));
    const nodes = copies.map(({ node }) => node).join(" and ");
    if (free.length === 0 || all.length >= MAX_COPIES) {
      this.#fail(task, `${nodes} gave different results, and there is nobody of another owner to decide.`);
      return;
    }
    this.parts.log.warn({ graph: task.graph.id, task: task.number, nodes }, "nodes gave different results");
    const copy = new GraphCopy(task, all.length, this.core.clients.admission.reserve(1));
    this.#copies.get(task)!.push(copy);
    this.submit([copy], [ownerLabel(free[all.length % free.length]!)]);
  }

  #fail(task: GraphTask, message: string): void {
    const open = this.#open.get(task);
    if (open === undefined) return;
    this.#open.delete(task);
    this.core.handle({
      type: "AttemptFailed",
      node: verifierOf(task.graph.session.domain),
      task: task.task,
      attempt: open.attempt,
      code: "wrong_result",
      message,
      retry: false,
    });
  }

  #present(domain: Domain): Set<string> {
    const owners = new Set<string>();
    for (const view of this.core.nodes.views.values())
      if (isComputing(view) && view.domain === domain) owners.add(view.owner);
    return owners;
  }

  /** The hub's own place among a domain's nodes. */
  #verifier(domain: Domain): void {
    if (this.#verifiers.has(domain)) return;
    this.#verifiers.add(domain);
    this.core.handle({
      type: "NodeJoined",
      node: verifierOf(domain),
      domain,
      slots: 1024,
      window: 1024,
      services: [VERIFY_SERVICE],
    });
  }
}

const VERIFIER = "hub.verifier";

function verifierOf(domain: Domain): NodeId {
  return `${VERIFIER}/${domain}` as NodeId;
}

export function isVerifier(node: NodeId): boolean {
  return node.startsWith(`${VERIFIER}/`);
}

function isComputing(view: NodeView): boolean {
  return view.engine !== undefined && view.peer !== undefined;
}
