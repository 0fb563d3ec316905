// Tasks that several owners' nodes compute, for results that need not be believed. Each copy is a task of the scheduler; the
// task itself is "computed" by the hub, by comparing them: its outputs are those of a copy that others agree with.
import { createHash } from "node:crypto";
import { FlockworkError, type Domain, type NodeId, type TaskId } from "../../ids/index.js";
import type { Assignment, ValueRef } from "../../scheduler/index.js";
import type { HubCore } from "../core.js";
import { alike, difference } from "./agreement.js";
import type { Audit } from "./audit.js";
import { GraphCopy } from "./graph-copy.js";
import type { GraphTask, GraphValue } from "./graph.js";
import { MAX_COPIES, ownerLabel, sideLabel, type Owners } from "./owners.js";
import type { Sources } from "./sources.js";
import type { ValueTable } from "./value-table.js";

/** The service of the hub's own place in the scheduler. */
export const VERIFY_SERVICE = "verify";
/** How copies enter the scheduler. */
export type SubmitCopies = (copies: readonly GraphCopy[], labels: readonly string[]) => void;

export class Replicas {
  readonly #verifiers = new Set<Domain>();
  readonly #copies = new Map<GraphTask, GraphCopy[]>();
  /** Attempts at comparing that wait for a further copy. */
  readonly #open = new Map<GraphTask, { readonly attempt: number; busy: boolean }>();

  constructor(
    private readonly core: HubCore,
    private readonly sources: Sources,
    private readonly table: ValueTable,
    private readonly owners: Owners,
    private readonly audit: Audit,
  ) {}

  /** Set by whoever submits tasks. */
  submit!: SubmitCopies;

  /** The copies of tasks that want `replicas` of them. Throws `limit` where there are not so many owners. */
  plan(task: GraphTask, first: TaskId): GraphCopy[] {
    const { domain } = task.graph.session;
    const owners = this.owners.present(domain);
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
        const owners = new Set(agree.map(({ owner }) => owner));
        if (owners.size < Math.min(2, task.replicas) || 2 * agree.length <= copies.length) continue;
        this.#settle(task, copy, copies, agree);
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
    const [one, two] = [await this.#hashes(a), await this.#hashes(b)];
    if (one.join() === two.join()) return true;
    const [engine, other] = [a, b].map(({ node }) => this.core.nodes.views.get(node as NodeId)?.engine);
    if (alike(engine, other)) return false;
    for (const [output, value] of a.values.entries()) {
      const [x, y] = await Promise.all([this.#bytes(value), this.#bytes(b.values[output]!)]);
      if (difference(x, y) !== undefined) return false;
    }
    return true;
  }

  /** As the copy's node said; of one from before a restart, as its bytes say. */
  async #hashes(copy: GraphCopy): Promise<readonly string[]> {
    copy.sha256 ??= await Promise.all(
      copy.values.map(async (value) =>
        createHash("sha256")
          .update(await this.#bytes(value))
          .digest("hex"),
      ),
    );
    return copy.sha256;
  }

  async #bytes(value: GraphCopy["values"][number]): Promise<Uint8Array> {
    await this.sources.ready(value);
    const pieces: Uint8Array[] = [];
    for await (const piece of this.sources.read(value)) pieces.push(piece);
    return pieces.length === 1 ? pieces[0]! : new Uint8Array(Buffer.concat(pieces));
  }

  /** The task's outputs are those of this copy; who gave others is named and left alone. */
  #settle(
    task: GraphTask,
    winner: GraphCopy,
    copies: readonly GraphCopy[],
    agree: readonly GraphCopy[],
  ): void {
    const { attempt } = this.#open.get(task)!;
    this.#open.delete(task);
    for (const liar of copies)
      if (!agree.includes(liar))
        this.audit.distrust(
          liar.node as NodeId,
          task.graph,
          `it gave another result for task ${task.number} of graph ${task.graph.id} than ${agree.map(({ node }) => node).join(" and ")}`,
        );
    task.node = winner.node;
    task.ms = winner.ms;
    task.endedAt = winner.endedAt;
    const small: number[] = [];
    const copied: (readonly [ref: ValueRef, bytes: number, place: NodeId])[] = [];
    for (const [output, value] of task.values.entries()) {
      const holders = new Map<string, string>();
      for (const copy of copies) this.table.rename(copy.values[output]!);
      for (const copy of [winner, ...agree.filter((other) => other !== winner)]) {
        if (copy.sha256?.[output] !== winner.sha256?.[output]) continue;
        const same = copy.values[output]!;
        this.table.rename(value, same.name);
        for (const place of this.core.scheduler.places(same.ref)) {
          if (place === "hub" || holders.has(place)) continue;
          holders.set(place, same.name);
          copied.push([value.ref, same.bytes, place]);
        }
      }
      value.adopt(winner.values[output]!, winner.sha256?.[output], holders);
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
    // What is large lies at the nodes, not here: at all whose bytes are the same.
    for (const [value, bytes, place] of copied)
      if (!small.includes(value.output)) this.core.handle({ type: "ValueCopied", value, bytes, place });
    for (const { ref } of task.values)
      if (!small.includes(ref.output)) this.core.handle({ type: "ValueLost", value: ref, place: verifier });
    this.core.handle({
      type: "ValuesReleased",
      values: this.copiesOf(task).flatMap(({ values }) => values.map(({ ref }) => ref)),
    });
  }

  /** Whether a copy's value is held as one of its task: it goes with that. */
  keeps(value: GraphValue, place: string): boolean {
    const own = value.graph.tasks.get(value.number)?.values[value.ref.output];
    return own !== undefined && own !== value && own.keeps(place, value.name);
  }

  /** They differ: a node of another owner decides. */
  #another(task: GraphTask, copies: readonly GraphCopy[]): void {
    const all = this.copiesOf(task);
    if (all.some(({ state }) => state === "open")) return;
    const asked = new Set(copies.map(({ owner }) => owner));
    const free = [...this.owners.present(task.graph.session.domain)].filter((owner) => !asked.has(owner));
    const nodes = copies.map(({ node }) => node).join(" and ");
    if (free.length === 0 || all.length >= MAX_COPIES) {
      this.#fail(task, `${nodes} gave different results, and there is nobody of another owner to decide.`);
      return;
    }
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
