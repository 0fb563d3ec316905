// Many seeds of one scenario, each under the laws; and the shortest list of events that still breaks one.
import { Scheduler } from "../scheduler/index.js";
import type { Brain } from "./brain.js";
import { Laws } from "./laws.js";
import type { Outcome } from "./measures.js";
import type { Scenario } from "./scenario.js";
import type { Script, ScriptEvent } from "./script.js";
import { write } from "./script.js";
import { Simulation } from "./simulation.js";

export type MakeBrain = (life: number, seed: number) => Brain;

const production: MakeBrain = (life, seed) => new Scheduler<number>({}, seed + life);

export interface Failing {
  readonly script: Script;
  readonly why: string;
}

/** Runs a script under the laws. What is wrong, or the outcome. */
export function judge(
  script: Script,
  makeBrain: MakeBrain = production,
): { outcome?: Outcome; why?: string } {
  // A hub that restarts knows nothing of what was; nor do the laws.
  let laws = new Laws();
  try {
    const outcome = new Simulation(script, {
      makeBrain: (life, seed) => {
        laws = new Laws();
        return makeBrain(life, seed);
      },
      watcher: (...seen) => laws.watch(...seen),
    }).run();
    return { outcome, ...wrongWith(outcome) };
  } catch (error) {
    return {
      why:
        error instanceof Error
          ? error.name === "BrokenLaw"
            ? error.message
            : String(error.stack)
          : String(error),
    };
  }
}

function wrongWith(outcome: Outcome): { why?: string } {
  if (outcome.stuck) return { why: "some tasks never end" };
  if (outcome.keptValues > 0) return { why: `nodes keep ${outcome.keptValues} values that nobody wants` };
  if (outcome.remembered > 0)
    return { why: `the scheduler remembers ${outcome.remembered} tasks that are over` };
  return {};
}

/** The first failing seed of these, made short; null: none fails. `onSeed` is told of each. */
export function sweep(
  scenario: Scenario,
  first: number,
  count: number,
  makeBrain: MakeBrain = production,
  onSeed: (seed: number, outcome: Outcome | undefined) => void = () => undefined,
): Failing | null {
  for (let seed = first; seed < first + count; seed++) {
    const script = write(scenario, seed);
    const { outcome, why } = judge(script, makeBrain);
    onSeed(seed, outcome);
    if (why !== undefined) return shrink({ script, why }, makeBrain);
  }
  return null;
}

/**
 * The shortest list of events that still fails, as far as leaving out one at a time and smaller submissions can make it
 * (delta debugging: halves first, then ever smaller pieces).
 */
export function shrink(failing: Failing, makeBrain: MakeBrain = production): Failing {
  let best = failing;
  const attempt = (events: readonly ScriptEvent[]): boolean => {
    // Without the nodes that can do everything, work that is never done proves nothing.
    const steady = events.filter(
      (event) => event.kind === "join" && event.node < best.script.scenario.steady,
    );
    if (steady.length < best.script.scenario.steady) return false;
    const script = { ...best.script, events };
    const { why } = judge(script, makeBrain);
    if (why === undefined) return false;
    best = { script, why };
    return true;
  };
  for (let shorter = true; shorter;) {
    shorter = false;
    for (let size = best.script.events.length >> 1; size >= 1; size >>= 1)
      for (let at = 0; at < best.script.events.length;) {
        const { events } = best.script;
        if (attempt([...events.slice(0, at), ...events.slice(at + size)])) shorter = true;
        else at += size;
      }
    for (let at = 0; at < best.script.events.length; at++)
      for (;;) {
        const { events } = best.script;
        const event = events[at]!;
        if (event.kind !== "submit" || event.count === 1) break;
        const fewer = (first: number, count: number) => attempt(events.with(at, { ...event, first, count }));
        const half = event.count >> 1;
        const done =
          fewer(event.first, half) ||
          fewer(event.first + half, event.count - half) ||
          fewer(event.first, event.count - 1) ||
          fewer(event.first + 1, event.count - 1);
        if (!done) break;
        shorter = true;
      }
  }
  return best;
}
