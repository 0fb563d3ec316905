// What a simulated flock is like: how many, how fast, how far away, how much goes wrong. A scenario and a seed make a script.
import { FlockworkError } from "../ids/index.js";

export interface Scenario {
  readonly name: string;
  readonly nodes: number;
  readonly tasks: number;
  /** Tasks a node runs at once, and how many it holds. */
  readonly slots: number;
  readonly window: number;
  /** Spread of speeds: sigma of the logarithm. The median node has speed 1. */
  readonly speedSigma: number;
  readonly sizes: "equal" | "exponential" | "heavy";
  /** Milliseconds that the mean task takes at speed 1. */
  readonly meanMs: number;
  /** Round trips take twice this; each node's is drawn from half to twice. */
  readonly latencyMs: number;
  readonly bytesPerMs: number;
  readonly taskBytes: number;
  readonly answerBytes: number;
  /** Clients share the tasks by these weights; each submits `batch` tasks at once, `everyMs` apart (0: all at once). */
  readonly clients: readonly { readonly tasks: number; readonly batch: number; readonly everyMs: number }[];
  /** Services that there are: a node offers the first, and each of the others by chance. */
  readonly services: number;
  readonly priorities: number;
  readonly idempotent: boolean;
  readonly attemptTimeoutMs: number;
  readonly maxAttempts: number;
  /** Parts of the nodes that say goodbye, crash, freeze, lose their link, or are drained, at uniform times. */
  readonly leave: number;
  readonly crash: number;
  readonly freeze: number;
  readonly breaks: number;
  readonly drain: number;
  /** Part of the nodes that come later, at uniform times. */
  readonly late: number;
  readonly freezeMs: number;
  readonly breakMs: number;
  readonly hubRestarts: number;
  readonly restartMs: number;
  /** Part of the attempts that take `stragglerTimes` as long. */
  readonly stragglers: number;
  readonly stragglerTimes: number;
  /** Part of the nodes that are `lieTimes` slower than their benchmark says; or exactly the first `liars` nodes. */
  readonly lies: number;
  readonly liars: number;
  readonly lieTimes: number;
  /** Part of the attempts that fail; of those, part that must not be tried again. */
  readonly failures: number;
  readonly finalFailures: number;
  /** Part of the tasks whose values stay at nodes and which take values of earlier ones. */
  readonly graph: number;
  readonly valueBytes: number;
  /** 1: only half of the submissions are idempotent, or have a deadline, and half of those fail early. */
  readonly mixed: number;
  /** Part of the nodes on which everything fails. */
  readonly bad: number;
  /** Part of the submissions whose tasks need memory, a provider or a label that only some nodes have. */
  readonly needs: number;
  /** Tasks that the second client may have at nodes at once (0: any number), and its weight. */
  readonly quota: number;
  readonly weight: number;
  /** Part of the tasks that are cancelled, and milliseconds after which tasks are given up (0: never). */
  readonly cancel: number;
  readonly deadlineMs: number;
  /** Nodes that nothing ever happens to, so that the work can be done. */
  readonly steady: number;
  /** Length of the time in which trouble happens; 0: as long as the work should take. */
  readonly troubleMs: number;
}

const CALM: Scenario = {
  name: "calm",
  nodes: 1000,
  tasks: 20_000,
  slots: 1,
  window: 2,
  speedSigma: 0.5,
  sizes: "equal",
  meanMs: 1000,
  latencyMs: 20,
  bytesPerMs: 12_500,
  taskBytes: 1000,
  answerBytes: 1000,
  clients: [{ tasks: 1, batch: 100_000, everyMs: 0 }],
  services: 1,
  priorities: 1,
  idempotent: false,
  attemptTimeoutMs: 0,
  maxAttempts: 5,
  leave: 0,
  crash: 0,
  freeze: 0,
  breaks: 0,
  drain: 0,
  late: 0,
  freezeMs: 5000,
  breakMs: 1000,
  hubRestarts: 0,
  restartMs: 500,
  stragglers: 0,
  stragglerTimes: 10,
  lies: 0,
  liars: 0,
  lieTimes: 10,
  failures: 0,
  finalFailures: 0,
  graph: 0,
  valueBytes: 100_000,
  mixed: 0,
  bad: 0,
  needs: 0,
  quota: 0,
  weight: 1,
  cancel: 0,
  deadlineMs: 0,
  steady: 1,
  troubleMs: 0,
};

/** The scenarios that come with Flockwork; a file may start from one by `"from"`. */
export const SCENARIOS: Readonly<Record<string, Scenario>> = {
  calm: CALM,
  churn: { ...CALM, name: "churn", leave: 0.1 },
  crashes: { ...CALM, name: "crashes", crash: 0.1, freeze: 0.05, breaks: 0.2, late: 0.1 },
  stragglers: { ...CALM, name: "stragglers", stragglers: 0.01, stragglerTimes: 20, idempotent: true },
  liars: { ...CALM, name: "liars", lies: 0.1 },
  liar: { ...CALM, name: "liar", nodes: 8, tasks: 400, speedSigma: 0, liars: 1 },
  unfair: {
    ...CALM,
    name: "unfair",
    window: 1,
    nodes: 100,
    tasks: 20_200,
    meanMs: 100,
    clients: [
      { tasks: 100, batch: 20_000, everyMs: 0 },
      { tasks: 1, batch: 200, everyMs: 0 },
    ],
  },
  graph: {
    ...CALM,
    name: "graph",
    nodes: 50,
    tasks: 2000,
    meanMs: 200,
    graph: 1,
    leave: 0.2,
    crash: 0.2,
    steady: 3,
  },
  chaos: {
    ...CALM,
    name: "chaos",
    nodes: 10,
    tasks: 80,
    slots: 2,
    window: 4,
    meanMs: 300,
    sizes: "exponential",
    clients: [
      { tasks: 3, batch: 12, everyMs: 700 },
      { tasks: 1, batch: 3, everyMs: 900 },
    ],
    services: 2,
    priorities: 3,
    idempotent: true,
    attemptTimeoutMs: 4000,
    maxAttempts: 4,
    leave: 0.15,
    crash: 0.2,
    freeze: 0.3,
    breaks: 0.6,
    drain: 0.1,
    late: 0.3,
    freezeMs: 6000,
    breakMs: 2000,
    hubRestarts: 1,
    stragglers: 0.05,
    lies: 0.2,
    failures: 0.1,
    finalFailures: 0.1,
    graph: 0.4,
    mixed: 1,
    bad: 0.1,
    needs: 0.3,
    quota: 3,
    weight: 2,
    cancel: 0.05,
    deadlineMs: 15_000,
    steady: 2,
    troubleMs: 12_000,
  },
};

/** A scenario by its name, with some of its numbers changed. */
export function scenario(name: string, changes: Partial<Scenario> = {}): Scenario {
  const known = Object.hasOwn(SCENARIOS, name) ? SCENARIOS[name] : undefined;
  if (known === undefined)
    throw new FlockworkError(
      "bad_argument",
      `There is no scenario "${name}"; there are ${Object.keys(SCENARIOS).join(", ")}, or give a JSON file.`,
    );
  return check({ ...known, ...changes });
}

/** Reads a scenario file: JSON with `from` (a scenario's name, default calm) and whatever differs. */
export function parseScenario(text: string, file: string): Scenario {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch (error) {
    throw new FlockworkError("bad_argument", `${file} is not JSON: ${(error as Error).message}`);
  }
  if (typeof given !== "object" || given === null || Array.isArray(given))
    throw new FlockworkError("bad_argument", `${file} must hold one JSON object, a scenario.`);
  const { from = "calm", ...changes } = given as Record<string, unknown>;
  for (const [key, value] of Object.entries(changes)) {
    if (!Object.hasOwn(CALM, key))
      throw new FlockworkError(
        "bad_argument",
        `${file}: a scenario has no "${key}"; it has ${Object.keys(CALM).join(", ")}.`,
      );
    const model = CALM[key as keyof Scenario];
    if (typeof value !== typeof model || Array.isArray(value) !== Array.isArray(model))
      throw new FlockworkError(
        "bad_argument",
        `${file}: "${key}" is ${JSON.stringify(value)}; it should be like ${JSON.stringify(model)}.`,
      );
  }
  return scenario(String(from), { name: file, ...(changes as Partial<Scenario>) });
}

function check(s: Scenario): Scenario {
  const bad = (what: string) => new FlockworkError("bad_argument", `Scenario ${s.name}: ${what}`);
  for (const [key, value] of Object.entries(s))
    if (typeof value === "number" && !(Number.isFinite(value) && value >= 0))
      throw bad(`${key} is ${value}; it must be a number from 0.`);
  for (const key of [
    "nodes",
    "tasks",
    "slots",
    "meanMs",
    "bytesPerMs",
    "maxAttempts",
    "services",
    "priorities",
  ] as const)
    if (s[key] <= 0) throw bad(`${key} is ${s[key]}; it must be above 0.`);
  if (!["equal", "exponential", "heavy"].includes(s.sizes))
    throw bad(`sizes is "${s.sizes}"; it must be equal, exponential or heavy.`);
  if (s.clients.length === 0 || s.clients.some((c) => !(c.tasks > 0 && c.batch >= 1 && c.everyMs >= 0)))
    throw bad("each of its clients needs tasks above 0, a batch of at least 1 and everyMs from 0.");
  return s;
}
