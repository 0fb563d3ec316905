// How well the scheduler uses a flock: makespans beside their bounds and two baselines, fairness, and chaos under the laws.
// Virtual time only, so that a busy machine changes nothing but the seconds it takes.
import { FirstIdle, RandomNode, Simulation, scenario, sweep, write } from "../src/sim/index.js";
import type { Brain, Outcome, Scenario } from "../src/sim/index.js";

type Print = (figures: object) => void;

const round = (n: number) => Number(n.toFixed(3));

function simulate(s: Scenario, seed: number, makeBrain?: (life: number, seed: number) => Brain): Outcome {
  return new Simulation(write(s, seed), makeBrain && { makeBrain }).run();
}

const ratio = ({ makespan, bound, stuck }: Outcome) => (stuck ? "never ends" : round(makespan / bound));

export function flockFigures(print: Print, nodes: number, tasks: number): void {
  const seed = 7;
  for (const sizes of ["equal", "exponential", "heavy"] as const) {
    // The figure with a reach at full size; those beside it at a tenth, for the sake of time.
    const size = sizes === "equal" ? 1 : 10;
    const churn = scenario("churn", { sizes, nodes: nodes / size, tasks: tasks / size });
    print({
      ...{
        figure: "makespan",
        sizes,
        nodes: churn.nodes,
        tasks: churn.tasks,
        ratio: ratio(simulate(churn, seed)),
      },
      ...(sizes === "equal" && { reach: 1.15 }),
      idempotent: ratio(simulate({ ...churn, idempotent: true }, seed)),
      firstIdle: ratio(simulate(churn, seed, () => new FirstIdle())),
      random: ratio(simulate(churn, seed, (_, of) => new RandomNode(of))),
    });
  }
  print({ figure: "lying benchmark", nodes: 8, ratio: ratio(simulate(scenario("liar"), seed)), reach: 1.2 });
  const stragglers = scenario("stragglers", {
    nodes: Math.min(nodes, 10_000),
    tasks: Math.min(tasks, 200_000),
  });
  print({
    figure: "stragglers",
    ratio: ratio(simulate(stragglers, seed)),
    withoutCopies: ratio(simulate({ ...stragglers, idempotent: false }, seed)),
  });
  fairness(print, seed);
}

function fairness(print: Print, seed: number): void {
  const both = scenario("unfair");
  const beside = simulate(both, seed).clients[1]!;
  const alone = simulate({ ...both, tasks: 200, clients: [both.clients[1]!] }, seed).clients[0]!;
  print({
    figure: "small client beside one with 100 times its tasks",
    p50: round(beside.p50 / alone.p50),
    p99: round(beside.p99 / alone.p99),
    reach: 2,
  });
}

export function chaosFigure(print: Print, seeds: number): void {
  const started = performance.now();
  const failing = sweep(scenario("chaos"), 1, seeds);
  print({
    figure: "chaos",
    seeds,
    broken: failing === null ? 0 : failing.why,
    reach: "every law holds",
    seconds: round((performance.now() - started) / 1000),
  });
}
