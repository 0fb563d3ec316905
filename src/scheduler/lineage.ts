// Values: who waits for them, where they are, when they go, and running their makers again when they are lost.
import type { AttemptFailure, TaskId } from "../ids/index.js";
import type { Core } from "./core.js";
import type { FoundValue, Place, ValueRef } from "./events.js";
import type { Node } from "./node.js";
import * as T from "./task.js";
import type { StandIns } from "./stand-ins.js";
import { dataOf, type Task } from "./task.js";
import { Value } from "./value.js";

/** An output's number is below this, so that a wrong one costs no memory. */
const MAX_OUTPUTS = 65_536;

/** A task that cannot get one of its inputs. */
export interface Doomed {
  readonly task: Task;
  readonly message: string;
  readonly reasons: readonly AttemptFailure[];
}

export class Lineage<Tag> {
  /** To be failed by the caller, in order: not here, since a chain of a hundred thousand must not recurse. */
  readonly doomed: Doomed[] = [];

  constructor(
    private readonly core: Core<Tag>,
    private readonly standIns: StandIns<Tag>,
  ) {}

  /** Ties a new, blocked task to its inputs. */
  link(task: Task, refs: readonly ValueRef[]): void {
    const data = dataOf(task);
    const inputs: Value[] = [];
    data.inputs = inputs;
    for (const ref of refs) {
      if (ref.task >= task.id) {
        this.doom(task, `needs task ${ref.task}, which is not older than itself`);
        continue;
      }
      const maker = this.core.tasks.get(ref.task) ?? this.standIns.foreign(ref.task, task.batch.domain);
      if (maker.batch.domain !== task.batch.domain) {
        this.doom(task, `needs task ${ref.task} of another domain`);
        continue;
      }
      const value = this.valueOf(maker, ref.output);
      if (value === null) {
        this.doom(task, `needs output ${ref.output} of task ${ref.task}, which has no such output`);
        continue;
      }
      inputs.push(value);
      dataOf(maker).heirs++;
      if (value.needers.has(task)) continue;
      value.needers.add(task);
      if (value.available) continue;
      data.missing++;
      if (maker.state === T.OVER) this.doomNeeder(task, value);
      else if (value.lost && maker.state === T.DONE) this.revive(maker);
    }
  }

  /** A task is solved: its outputs are at the node or at the hub. */
  produced(task: Task, node: Node, bytes: readonly number[] | undefined, come: readonly number[] = []): void {
    const atHub = task.batch.keep === "hub";
    const data = dataOf(task);
    const known = data.outputs.length;
    const count = bytes?.length ?? Math.max(1, known);
    for (let output = 0; output < Math.max(count, known); output++) {
      let value = data.outputs[output];
      if (output >= count) {
        if (value !== undefined) for (const needer of value.needers) this.doomNeeder(needer, value);
        continue;
      }
      if (value === undefined) {
        if (atHub) continue;
        value = data.outputs[output] = new Value(task, output);
      }
      value.bytes = bytes?.[output] ?? 0;
      this.addPlace(value, atHub || come.includes(output) ? "hub" : node);
      this.settle(value);
    }
    this.rest(task, atHub || (count > 0 && come.length >= count));
  }

  /** A solved task's outputs are known: it needs its inputs no more, and is remembered for as long as its lineage. */
  private rest(task: Task, atHub: boolean): void {
    const data = dataOf(task);
    data.depth = 1;
    for (const { task: maker } of data.inputs)
      data.depth = Math.max(data.depth, 1 + (maker.data!.barren ? 0 : maker.data!.depth));
    this.unlink(task);
    if (atHub || data.depth >= this.core.options.maxLineage) this.cut(task);
    this.consider(task);
  }

  /** A task that ran under an earlier hub: nodes hold its outputs. */
  found(task: Task, found: readonly FoundValue[]): void {
    const data = dataOf(task);
    for (const [output, { bytes, nodes }] of found.entries()) {
      const value = (data.outputs[output] ??= new Value(task, output));
      value.bytes = bytes;
      for (const id of nodes) {
        const node = this.core.nodes.get(id);
        if (node !== undefined) this.addPlace(value, node);
      }
    }
    this.rest(task, false);
  }

  want(refs: readonly ValueRef[]): void {
    for (const ref of refs) {
      const task = this.core.tasks.get(ref.task);
      const value = task === undefined || task.state === T.OVER ? null : this.valueOf(task, ref.output);
      if (task === undefined || value === null || value.released) continue;
      value.wanted = true;
      if (task.state === T.DONE && value.lost) this.revive(task);
    }
  }

  /** Where a value can be had now. */
  places(ref: ValueRef): Place[] {
    return this.core.tasks.get(ref.task)?.data?.outputs[ref.output]?.places() ?? [];
  }

  /** Whether the node, which cannot be reached, has a value that something waits for and nobody else has. */
  withholds(node: Node): boolean {
    for (const value of node.values)
      if (!value.available && (value.wanted || value.needers.size > 0)) return true;
    return false;
  }

  /** The outputs of an answer that came second: copies of what there is, if it is still wanted. */
  producedAgain(task: Task, node: Node, bytes: readonly number[] = []): void {
    for (let output = 0; output < bytes.length; output++) {
      const value = task.data?.outputs[output];
      if (value === undefined || task.batch.keep === "hub" || (value.released && value.needers.size === 0))
        this.discard(node, { task: task.id, output });
      else this.addPlace(value, node);
    }
  }

  /** The outputs of an answer to a task that has failed or is not known. */
  unwanted(id: TaskId, node: Node, bytes: readonly number[] = []): void {
    for (let output = 0; output < bytes.length; output++) this.discard(node, { task: id, output });
  }

  /** The task is done or over: it needs its inputs no more. */
  unlink(task: Task): void {
    if (task.data === null) return;
    for (const value of task.data.inputs)
      if (value.needers.delete(task)) {
        this.settle(value);
        this.consider(value.task);
      }
  }

  /** The task will never be solved, or not again: those that need it fail too. */
  ended(task: Task): void {
    this.unlink(task);
    if (task.data !== null) {
      this.cut(task);
      for (const value of task.data.outputs)
        if (value !== undefined) {
          if (task.state === T.OVER) value.released = true;
          if (task.state === T.OVER || value.lost)
            for (const needer of value.needers) this.doomNeeder(needer, value);
          this.settle(value);
        }
    }
    this.consider(task);
  }

  release(refs: readonly ValueRef[]): void {
    for (const ref of refs) {
      const task = this.core.tasks.get(ref.task);
      if (task === undefined || task.state === T.OVER) {
        // Solutions at the hub that nothing needed are not remembered here.
        if (task === undefined) this.core.outbox.release("hub", ref);
        continue;
      }
      const value = this.valueOf(task, ref.output);
      if (value === null || value.released) continue;
      value.released = true;
      value.wanted = false;
      this.settle(value);
      this.consider(task);
    }
  }

  copied(ref: ValueRef, bytes: number, place: Place): void {
    const task = this.core.tasks.get(ref.task);
    const value = task?.data?.outputs[ref.output];
    const at = this.spot(place);
    if (at === undefined) return;
    if (task === undefined || value === undefined || (value.released && value.needers.size === 0)) {
      this.discard(at, ref);
      return;
    }
    value.bytes = bytes;
    this.addPlace(value, at);
    // What is all at the hub is as safe as the hub: what it was made from need not be remembered.
    if (task.state === T.DONE && task.data!.outputs.every((v) => v === undefined || v.atHub)) this.cut(task);
  }

  lostAt(ref: ValueRef, place: Place): void {
    const value = this.core.tasks.get(ref.task)?.data?.outputs[ref.output];
    const at = this.spot(place);
    if (value !== undefined && at !== undefined) this.dropPlace(value, at);
  }

  /** The node's link is down (its `reachable` says so already): its values cannot be had, and are not lost yet. */
  unreachable(node: Node): void {
    for (const value of node.values) if (!value.available) this.withhold(value);
  }

  /** The node is back with these values; sets `reachable`. */
  resumed(node: Node, listed: readonly { readonly value: ValueRef; readonly bytes: number }[]): void {
    const kept = new Set<Value>();
    for (const { value: ref, bytes } of listed) {
      const task = this.core.tasks.get(ref.task);
      // An answer may still be on its way: its values are there already.
      const early = task?.open === true && task.batch.keep === "node";
      const value = early ? this.valueOf(task, ref.output) : task?.data?.outputs[ref.output];
      if (
        value === undefined ||
        value === null ||
        task!.state === T.OVER ||
        (value.released && value.needers.size === 0)
      )
        this.core.outbox.release(node.id, ref);
      else {
        value.bytes = bytes;
        kept.add(value);
      }
    }
    for (const value of [...node.values]) if (!kept.has(value)) this.dropPlace(value, node);
    const back = [...kept].filter((value) => !value.available);
    for (const value of kept) {
      if (!value.nodes.includes(node)) value.nodes.push(node);
      node.values.add(value);
    }
    node.reachable = true;
    for (const value of back) this.grant(value);
  }

  /** The node will not be back: its values are gone. */
  gone(node: Node): void {
    for (const value of [...node.values]) this.dropPlace(value, node);
  }

  /** Forgets the task if nothing can ask for it any more, and then those it came from. */
  consider(task: Task): void {
    const stack = [task];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (!forgettable(next)) continue;
      const inputs = next.data?.inputs ?? [];
      this.core.forget(next);
      for (const value of inputs) {
        value.task.data!.heirs--;
        stack.push(value.task);
      }
      if (next.data !== null) next.data.inputs = [];
    }
  }

  /** A node that cannot be reached lists the value when it is back, and is told then. */
  private discard(place: Node | "hub", ref: ValueRef): void {
    if (place === "hub") this.core.outbox.release(place, ref);
    else if (place.reachable) this.core.outbox.release(place.id, ref);
  }

  private spot(place: Place): Node | "hub" | undefined {
    return place === "hub" ? "hub" : this.core.nodes.get(place);
  }

  private addPlace(value: Value, place: Node | "hub"): void {
    const was = value.available;
    if (place === "hub") value.atHub = true;
    else {
      if (!value.nodes.includes(place)) value.nodes.push(place);
      place.values.add(value);
    }
    if (!was && value.available) this.grant(value);
  }

  private dropPlace(value: Value, place: Node | "hub"): void {
    const was = value.available;
    if (place === "hub") value.atHub = false;
    else {
      const at = value.nodes.indexOf(place);
      if (at >= 0) value.nodes.splice(at, 1);
      place.values.delete(value);
    }
    if (was && !value.available) this.withhold(value);
    if (value.lost && (value.needers.size > 0 || value.wanted)) this.revive(value.task);
    this.consider(value.task);
  }

  private grant(value: Value): void {
    for (const needer of value.needers) {
      if (--needer.data!.missing === 0 && needer.state === T.BLOCKED) this.core.ready(needer, false);
    }
  }

  private withhold(value: Value): void {
    for (const needer of value.needers) {
      needer.data!.missing++;
      if (!needer.queued) continue;
      this.core.unqueue(needer);
      this.core.setState(needer, T.BLOCKED);
    }
  }

  /** Runs a solved task again for its lost values, and before it whatever it needs that is lost too. */
  private revive(task: Task): void {
    const stack = [task];
    for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
      if (next.state !== T.DONE) continue;
      const data = next.data!;
      if (data.barren) {
        for (const value of data.outputs)
          if (value?.lost === true) {
            for (const needer of value.needers) this.doomNeeder(needer, value);
            if (value.wanted) this.core.outbox.gone(next, `what task ${next.id} was made from is gone`);
          }
        continue;
      }
      this.core.reenter(next);
      next.trouble = null;
      data.missing = 0;
      for (const value of data.inputs) {
        if (value.needers.has(next)) continue;
        value.needers.add(next);
        if (value.available) continue;
        data.missing++;
        if (value.lost) stack.push(value.task);
      }
      if (data.missing === 0) this.core.ready(next, true);
    }
  }

  /** Frees the copies of a value that nobody needs. */
  private settle(value: Value): void {
    if (!value.released || value.needers.size > 0 || value.lost) return;
    for (const node of value.nodes) {
      node.values.delete(value);
      this.discard(node, value.ref);
    }
    value.nodes.length = 0;
    if (value.atHub) this.discard("hub", value.ref);
    value.atHub = false;
  }

  /** Ends the task's lineage: it will not be run again. */
  private cut(task: Task): void {
    const data = task.data!;
    data.barren = true;
    const inputs = data.inputs;
    data.inputs = [];
    for (const value of inputs) {
      value.task.data!.heirs--;
      this.consider(value.task);
    }
  }

  private valueOf(task: Task, output: number): Value | null {
    if (!Number.isInteger(output) || output < 0 || output >= MAX_OUTPUTS) return null;
    const data = dataOf(task);
    let value = data.outputs[output];
    if (value !== undefined) return value;
    if (task.state === T.DONE && task.batch.keep === "node") return null;
    value = data.outputs[output] = new Value(task, output);
    value.atHub = task.state === T.DONE;
    return value;
  }

  private doomNeeder(needer: Task, value: Value): void {
    const why = value.task.state === T.OVER ? "failed" : "has lost it";
    this.doom(
      needer,
      `needs output ${value.output} of task ${value.task.id}, which ${why}`,
      value.task.trouble?.reasons,
    );
  }

  private doom(task: Task, message: string, reasons: readonly AttemptFailure[] = []): void {
    this.doomed.push({ task, message, reasons });
  }
}

function forgettable(task: Task): boolean {
  if (task.open || task.attempts !== null) return false;
  const data = task.data;
  if (data === null) return true;
  if (data.heirs > 0) return false;
  for (const value of data.outputs) {
    if (value === undefined) continue;
    if (value.needers.size > 0) return false;
    if (task.state === T.DONE && task.batch.keep === "node" && !(value.released && value.lost)) return false;
  }
  return true;
}
