// Two independent halves of a graph on two nodes, one of them four times slower: what placement makes of it.
import type { Flock, Graph } from "../../dist/flock/index.node.js";
import { Tensor, type Expression } from "../../dist/graph/index.js";
import { print } from "../graph/contest.js";
import { startFlock } from "./flock.js";
import { productsFor } from "./programs.js";
import { ratios, spread, turns } from "./turns.js";

const TIMES = 4;
/** Each half adds up so many chains of products, of about so many milliseconds each on the faster node. */
const CHAINS = 10;
const CHAIN_MS = 50;
const SIDE = 768;

export async function halves(rounds: number): Promise<void> {
  const processes = await startFlock(1);
  const fast = processes.nodes[0]!.name;
  // Slow before it measures itself, so that its benchmark says so.
  const { name: slow } = await processes.join("slow", TIMES);
  const flock = await processes.connect();
  const length = await productsFor(CHAIN_MS);
  const random = numbers(7);
  const taken = await turns(
    {
      fast: () => alone(flock, fast, length),
      slow: () => alone(flock, slow, length),
      flock: async () => {
        const graph = flock.graph();
        const seconds = await timed(() => graph.compute(...twoHalves(graph, length)));
        await graph.end();
        return seconds;
      },
      random: () => placed(flock, length, () => (random() < 0.5 ? fast : slow)),
      raven: () => toEveryone(processes.connect, [fast, slow], length),
    },
    rounds,
  );
  // All the work at the sum of both speeds: no placement can be better.
  const ideal = taken.fast.map((seconds, i) => (2 * CHAINS) / (1 / seconds + 1 / taken.slow[i]!));
  print({
    figure: "two halves of a graph, one node 4 times slower: makespan over ideal",
    value: ratios(taken.flock, ideal),
    reach: 1.2,
    random: ratios(taken.random, ideal),
    raven: ratios(taken.raven, ideal),
    idealSeconds: spread(ideal),
    flockSeconds: spread(taken.flock),
    slowOverFast: ratios(taken.slow, taken.fast),
  });
  await processes.stop();
}

/** A chain of products that starts from a row of its own; a row comes out. */
function chain(graph: Graph, length: number): Expression {
  const row = graph.tensor(new Tensor("float32", [SIDE], new Float32Array(SIDE)));
  const first = row.reshape([SIDE, 1]).mul(row.reshape([1, SIDE]));
  let y = first;
  for (let i = 0; i < length; i++) y = y.matmul(first);
  return y.sum([0]);
}

function half(graph: Graph, length: number): Expression {
  let sum = chain(graph, length);
  for (let i = 1; i < CHAINS; i++) sum = sum.add(chain(graph, length));
  return sum;
}

function twoHalves(graph: Graph, length: number): Expression[] {
  return [half(graph, length), half(graph, length)];
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const started = performance.now();
  await work();
  return (performance.now() - started) / 1000;
}

/** Seconds of a chain on a node, over a few in a row. */
async function alone(flock: Flock, on: string, length: number): Promise<number> {
  const some = 3;
  const graph = flock.graph({ needs: { labels: [on] } });
  const seconds = await timed(async () => {
    for (let i = 0; i < some; i++) await graph.compute(chain(graph, length));
  });
  await graph.end();
  return seconds / some;
}

/** Every chain goes where `choose` says; the sums are left out, which is in favour of it. */
async function placed(flock: Flock, length: number, choose: () => string): Promise<number> {
  const graphs = new Map<string, Graph>();
  const chains = new Map<Graph, Expression[]>();
  for (let i = 0; i < 2 * CHAINS; i++) {
    const on = choose();
    const graph = graphs.get(on) ?? flock.graph({ needs: { labels: [on] } });
    graphs.set(on, graph);
    chains.set(graph, [...(chains.get(graph) ?? []), chain(graph, length)]);
  }
  const seconds = await timed(() => Promise.all([...chains].map(([graph, own]) => graph.compute(...own))));
  await Promise.all([...graphs.values()].map((graph) => graph.end()));
  return seconds;
}

/** Raven's rule: a half at a time goes to all nodes, and the first answer counts; the others are stopped. */
async function toEveryone(
  connect: () => Promise<Flock>,
  nodes: readonly string[],
  length: number,
): Promise<number> {
  let seconds = 0;
  for (let i = 0; i < 2; i++) {
    const racers = await Promise.all(nodes.map(() => connect()));
    seconds += await timed(() =>
      Promise.race(
        racers.map((flock, i) => {
          const graph = flock.graph({ needs: { labels: [nodes[i]!] } });
          const done = graph.compute(half(graph, length));
          // The slower one hears that its client has left.
          done.catch(() => undefined);
          return done;
        }),
      ),
    );
    await Promise.all(racers.map((flock) => flock.close()));
  }
  return seconds;
}

/** Numbers from 0 to 1, the same in every run. */
function numbers(seed: number): () => number {
  return () => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return seed / 2 ** 32;
  };
}
