// A scenario and a seed, written out: everything that will happen from outside, in order. Runs, shrinking and bounds use this.
import { FOR, Stream, normal, uniform } from "./random.js";
import type { Scenario } from "./scenario.js";

export type ScriptEvent = { readonly at: number } & (
  | { readonly kind: "join" | "leave" | "crash" | "drain"; readonly node: number }
  | { readonly kind: "freeze" | "break"; readonly node: number; readonly ms: number }
  | { readonly kind: "submit"; readonly client: number; readonly first: number; readonly count: number }
  | { readonly kind: "cancel"; readonly task: number }
  | { readonly kind: "restart"; readonly ms: number }
);

export interface Script {
  readonly scenario: Scenario;
  readonly seed: number;
  readonly events: readonly ScriptEvent[];
}

/** How fast a node is: work of one millisecond at speed 1, per millisecond. */
export function speedOf(s: Scenario, seed: number, node: number): number {
  return (
    Math.exp(s.speedSigma * normal(seed, FOR.speed, FOR.speed2, node)) /
    (isLiar(s, seed, node) ? s.lieTimes : 1)
  );
}

/** How fast its benchmark said it is. */
export function claimOf(s: Scenario, seed: number, node: number): number {
  return Math.exp(s.speedSigma * normal(seed, FOR.speed, FOR.speed2, node));
}

function isLiar(s: Scenario, seed: number, node: number): boolean {
  return node < s.liars || (s.lies > 0 && uniform(seed, FOR.lies, node) < s.lies);
}

/** The largest of heavy-tailed tasks, in mean ones. */
const LARGEST = 100;
/** Pareto with exponent 1.5 and this least value, cut at LARGEST, has the mean 1. */
const LEAST = 1 / (3 - 2 / Math.sqrt(LARGEST * 2.9));

/** Milliseconds a task takes at speed 1. */
export function workOf(s: Scenario, seed: number, task: number): number {
  if (s.sizes === "equal") return s.meanMs;
  const u = uniform(seed, FOR.size, task);
  if (s.sizes === "exponential") return -Math.log(u) * s.meanMs;
  return Math.min(LARGEST, LEAST * u ** (-1 / 1.5)) * s.meanMs;
}

export function totalWork(s: Scenario, seed: number): number {
  if (s.sizes === "equal") return s.meanMs * s.tasks;
  let sum = 0;
  for (let task = 1; task <= s.tasks; task++) sum += workOf(s, seed, task);
  return sum;
}

export function write(s: Scenario, seed: number): Script {
  const events: ScriptEvent[] = [];
  const chance = new Stream(seed, FOR.trouble);
  let capacity = 0;
  for (let node = 0; node < s.nodes; node++) capacity += speedOf(s, seed, node) * s.slots;
  const horizon = s.troubleMs > 0 ? s.troubleMs : totalWork(s, seed) / capacity;
  const some = (node: number, part: number): boolean => node >= s.steady && part > 0 && chance.next() < part;
  for (let node = 0; node < s.nodes; node++) {
    const at = some(node, s.late) ? chance.next() * horizon : 0;
    events.push({ at, kind: "join", node });
    const later = () => at + chance.next() * (horizon - at);
    if (some(node, s.leave)) events.push({ at: later(), kind: "leave", node });
    else if (some(node, s.crash)) events.push({ at: later(), kind: "crash", node });
    else if (some(node, s.drain)) events.push({ at: later(), kind: "drain", node });
    if (some(node, s.freeze))
      events.push({ at: later(), kind: "freeze", node, ms: 2 * chance.next() * s.freezeMs });
    if (some(node, s.breaks))
      events.push({ at: later(), kind: "break", node, ms: 2 * chance.next() * s.breakMs });
  }
  for (let n = 0; n < s.hubRestarts; n++)
    events.push({ at: chance.next() * horizon, kind: "restart", ms: 2 * chance.next() * s.restartMs });
  let first = 1;
  const weights = s.clients.reduce((sum, c) => sum + c.tasks, 0);
  for (const [client, { tasks, batch, everyMs }] of s.clients.entries()) {
    const last = client === s.clients.length - 1;
    let left = last ? s.tasks + 1 - first : Math.round((s.tasks * tasks) / weights);
    for (let at = 0; left > 0; at += everyMs) {
      const count = Math.min(left, Math.ceil(batch));
      events.push({ at, kind: "submit", client, first, count });
      for (let task = first; s.cancel > 0 && task < first + count; task++)
        if (chance.next() < s.cancel)
          events.push({ at: at + 2 * chance.next() * s.meanMs, kind: "cancel", task });
      first += count;
      left -= count;
    }
  }
  // Stable: of the same instant, in the order in which they were written.
  events.sort((a, b) => a.at - b.at);
  return { scenario: s, seed, events };
}

/** When, at the earliest, the living capacity has reached the work, and the longest task alone can be done. */
export function boundOf({ scenario: s, seed, events }: Script): number {
  const changes: { at: number; by: number }[] = [];
  let fastest = 0;
  for (const event of events) {
    if (event.kind !== "join" && event.kind !== "leave" && event.kind !== "crash" && event.kind !== "drain")
      continue;
    const speed = speedOf(s, seed, event.node);
    if (event.kind === "join") fastest = Math.max(fastest, speed);
    changes.push({ at: event.at, by: (event.kind === "join" ? 1 : -1) * speed * s.slots });
  }
  let work = 0;
  let longest = 0;
  for (const event of events) {
    if (event.kind !== "submit") continue;
    for (let i = 0; i < event.count; i++) {
      const one = workOf(s, seed, event.first + i);
      work += one;
      longest = Math.max(longest, one);
    }
  }
  let at = 0;
  let speed = 0;
  for (const change of changes) {
    const done = speed * (change.at - at);
    if (done >= work) break;
    work -= done;
    at = change.at;
    speed += change.by;
  }
  return Math.max(speed > 0 ? at + work / speed : Infinity, longest / fastest);
}
