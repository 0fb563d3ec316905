// How fast the scheduler decides, and how well: prints JSON lines, each figure with its reach where it has one.
// Wall time of one thread, best of several rounds, garbage included. With FLOCKWORK_QUICK=1 flocks are a tenth as large.
//   npm run bench:scheduler
import { cpus } from "node:os";
import { chaosFigure, flockFigures } from "./scheduler-flock.js";
import type { Domain, NodeId, SessionId, TaskId } from "../src/ids/index.js";
import { Scheduler } from "../src/scheduler/index.js";
import type { SchedulerEffect, TaskBatch } from "../src/scheduler/index.js";

const DOMAIN = "166" as Domain;
const SESSION = "bench" as SessionId;
const ROUNDS = 7;

function batch(first: number, size: number): TaskBatch<number> {
  return {
    first: first as TaskId,
    tags: new Array<number>(size).fill(0),
    domain: DOMAIN,
    session: SESSION,
    service: "s",
    priority: 0,
    maxAttempts: 5,
    attemptTimeoutMs: 0,
    deadlineAt: Infinity,
    idempotent: false,
    keep: "hub",
  };
}

function withNodes(count: number, slots: number, window: number): Scheduler<number> {
  const scheduler = new Scheduler<number>();
  for (let i = 0; i < count; i++) {
    const node = `node${i}` as NodeId;
    scheduler.handle({ type: "NodeJoined", node, domain: DOMAIN, slots, window, services: ["s"] }, 0);
  }
  return scheduler;
}

interface Held {
  readonly tasks: number[];
  readonly attempts: number[];
}

/** Adds what the effects dispatch to each node's hand, and says how many that were. */
function take(effects: readonly SchedulerEffect<number>[], hands: Map<NodeId, Held>): number {
  let count = 0;
  for (const effect of effects) {
    if (effect.type !== "Dispatch") continue;
    let hand = hands.get(effect.node);
    if (hand === undefined) hands.set(effect.node, (hand = { tasks: [], attempts: [] }));
    for (const { task, attempt } of effect.assignments) {
      hand.tasks.push(task);
      hand.attempts.push(attempt);
      count++;
    }
  }
  return count;
}

function elapsedNs(work: () => void): number {
  const before = performance.now();
  work();
  return (performance.now() - before) * 1e6;
}

/** Submit in batches of 10,000; two nodes answer hundreds at a time: what the hub does with many small jobs. */
function batchPath(tasks: number, size: number, answer: number): number {
  const scheduler = withNodes(2, 2, 1024);
  let next = 1;
  let now = 0;
  return elapsedNs(() => {
    const hands = new Map<NodeId, Held>();
    for (let sent = 0; sent < tasks; sent += size) {
      take(scheduler.handle({ type: "TasksSubmitted", batch: batch(next, size) }, ++now), hands);
      next += size;
      for (let busy = true; busy;) {
        busy = false;
        for (const [node, hand] of hands) {
          if (hand.tasks.length === 0) continue;
          busy = true;
          const done = {
            type: "AttemptsDone",
            node,
            tasks: hand.tasks.splice(0, answer),
            attempts: hand.attempts.splice(0, answer),
          } as const;
          const effects = scheduler.handle(done, ++now);
          take(effects, hands);
          for (const effect of effects)
            if (effect.type === "Recall") {
              const recalled = new Set(effect.attempts.map((a) => a.task as number));
              const other = hands.get(effect.node)!;
              const left = other.tasks.filter((t) => !recalled.has(t));
              const dropped = other.tasks.filter((t) => recalled.has(t));
              hands.set(effect.node, {
                tasks: left,
                attempts: left.map((t) => other.attempts[other.tasks.indexOf(t)]!),
              });
              const attempts = dropped.map((t) => other.attempts[other.tasks.indexOf(t)]!);
              take(
                scheduler.handle(
                  { type: "AttemptsDropped", node: effect.node, tasks: dropped, attempts },
                  ++now,
                ),
                hands,
              );
            }
        }
      }
    }
    const { waiting, running } = scheduler.counts();
    if (waiting + running > 0) throw new Error(`${waiting + running} tasks were left over`);
  });
}

/** One answer, one decision, with every node busy: the steady state of a large cluster with long tasks. */
function steadyState(nodes: number, decisions: number): { ns: number; nodeBytes: number; taskBytes: number } {
  const settle = () => (globalThis.gc?.(), process.memoryUsage().heapUsed);
  const empty = settle();
  const scheduler = withNodes(nodes, 1, 1);
  const joined = settle();
  const hands = new Map<NodeId, Held>();
  const waiting = decisions * (ROUNDS + 1);
  const work = batch(1, nodes + waiting);
  const beforeTasks = settle();
  const first = scheduler.handle({ type: "TasksSubmitted", batch: work }, 1);
  const taskBytes = (settle() - beforeTasks) / (nodes + waiting);
  take(first, hands);
  // Answers come from nodes in a scrambled order. A node that answers is given its next task in the same call.
  const order = [...hands].map(
    ([node, { tasks, attempts }]) => ({ type: "AttemptsDone", node, tasks, attempts }) as const,
  );
  for (let i = order.length - 1, r = 12345; i > 0; i--) {
    r = (Math.imul(r, 1103515245) + 12345) >>> 0;
    const j = r % (i + 1);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  let now = 1;
  let best = Infinity;
  for (let round = 0, at = 0; round < ROUNDS; round++) {
    const ns = elapsedNs(() => {
      for (let i = 0; i < decisions; i++) {
        const answer = order[at++ % order.length]!;
        const dispatch = scheduler.handle(answer, ++now).at(-1);
        if (dispatch?.type !== "Dispatch" || dispatch.node !== answer.node)
          throw new Error("not the steady state");
        answer.tasks[0] = dispatch.assignments[0]!.task;
        answer.attempts[0] = dispatch.assignments[0]!.attempt;
      }
    });
    best = Math.min(best, ns / decisions);
  }
  return { ns: best, nodeBytes: (joined - empty) / nodes, taskBytes };
}

const print = (figures: object) => console.log(JSON.stringify(figures));
print({ bench: "scheduler", node: process.version, cpu: cpus()[0]?.model });
for (const [size, answer] of [
  [10_000, 500],
  [10_000, 100],
  [1, 1],
] as const) {
  let best = Infinity;
  const tasks = size === 1 ? 50_000 : 200_000;
  for (let round = 0; round < ROUNDS; round++) best = Math.min(best, batchPath(tasks, size, answer) / tasks);
  print({ figure: "submit+dispatch+done", batch: size, answer, nsPerTask: Math.round(best) });
}
let base = 0;
for (const [nodes, reach] of [
  [1_000, 200_000],
  [100_000, 100_000],
] as const) {
  const { ns, nodeBytes, taskBytes } = steadyState(nodes, 100_000);
  base ||= ns;
  print({
    figure: "decision",
    nodes,
    nsPerDecision: Math.round(ns),
    decisionsPerSecond: Math.round(1e9 / ns),
    reach,
    growth: Number((ns / base).toFixed(2)),
    growthReach: 3,
    ...(globalThis.gc && {
      bytesPerNode: Math.round(nodeBytes),
      bytesPerTask: Math.round(taskBytes),
      bytesReach: "2048, 1024",
    }),
  });
}
const quick = process.env.FLOCKWORK_QUICK === "1";
flockFigures(print, quick ? 10_000 : 100_000, quick ? 200_000 : 2_000_000);
chaosFigure(print, 1000);
