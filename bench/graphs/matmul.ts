// One 4096 x 4096 product over two nodes of one thread each, against one: with inputs at the nodes and the output staying there,
// and from and to the client.
import type { Flock } from "../../dist/flock/index.node.js";
import { processSlots } from "../../dist/engine/process/process-slots.node.js";
import { input, program, Tensor, type Expression, type Program } from "../../dist/graph/index.js";
import { print } from "../graph/contest.js";
import { startFlock } from "./flock.js";
import { zeros } from "./programs.js";
import { ratios, spread, turns, type Turn } from "./turns.js";

const SIDE = 4096;
const HALF = SIDE / 2;

export async function matmul(rounds: number): Promise<void> {
  const [one, two] = [await startFlock(1), await startFlock(2)];
  const [first, second] = [await one.connect(), await two.connect()];
  const taken = await turns({ one: inPlace(first, 1), two: inPlace(second, 2) }, rounds);
  print({
    figure: "4096 x 4096 product in place, over two nodes: times as fast as on one",
    value: ratios(taken.one, taken.two),
    reach: 1.8,
    oneSeconds: spread(taken.one),
    twoSeconds: spread(taken.two),
  });
  const ways = await turns({ one: fromClient(first), two: fromClient(second) }, Math.ceil(rounds / 2));
  print({
    figure: "4096 x 4096 product from and to the client, over two nodes: times as fast as on one",
    value: ratios(ways.one, ways.two),
    oneSeconds: spread(ways.one),
    twoSeconds: spread(ways.two),
  });
  await Promise.all([one.stop(), two.stop()]);
  await floor(rounds);
}

/** `pieces` of the left factor, each times the right one. After the first turn, each node has what it needs. */
function inPlace(flock: Flock, pieces: 1 | 2): Turn {
  const graph = flock.graph({ name: "product" });
  const line = (seed: number): Expression =>
    graph.tensor(
      new Tensor(
        "float32",
        [SIDE],
        Float32Array.from({ length: SIDE }, (_, i) => Math.sin(seed * i)),
      ),
    );
  const rows = SIDE / pieces;
  const right = line(1)
    .reshape([SIDE, 1])
    .mul(line(2).reshape([1, SIDE]));
  const left = Array.from({ length: pieces }, (_, i) =>
    line(3)
      .slice([i * rows], [(i + 1) * rows], [0])
      .reshape([rows, 1])
      .mul(line(4).reshape([1, SIDE])),
  );
  const there = graph.compute(right, ...left);
  return async () => {
    await there;
    const products = left.map((each) => each.matmul(right));
    const started = performance.now();
    await graph.compute(...products);
    const seconds = (performance.now() - started) / 1000;
    graph.release(...products);
    return seconds;
  };
}

function fromClient(flock: Flock): Turn {
  return async () => {
    const [a, b] = [zeros(SIDE, SIDE), zeros(SIDE, SIDE)];
    const graph = flock.graph({ name: "product" });
    const started = performance.now();
    await graph.tensor(a).matmul(graph.tensor(b)).value();
    const seconds = (performance.now() - started) / 1000;
    await graph.end();
    return seconds;
  };
}

/** What this machine gives two engine processes at once beside one, without hub and nodes. */
async function floor(rounds: number): Promise<void> {
  const slots = await processSlots({ slots: 2, threads: 1 });
  const run = (p: Program, rows: number): Promise<unknown> =>
    slots.run({ hash: p.hash, model: () => Promise.resolve(p.model) }, [zeros(rows, SIDE), zeros(SIDE, SIDE)])
      .settled;
  const [whole, half] = [product(SIDE), product(HALF)];
  const timed = async (work: () => Promise<unknown>): Promise<number> => {
    const started = performance.now();
    await work();
    return (performance.now() - started) / 1000;
  };
  const taken = await turns(
    {
      one: () => timed(() => run(whole, SIDE)),
      two: () => timed(() => Promise.all([run(half, HALF), run(half, HALF)])),
    },
    rounds,
  );
  print({
    figure: "floor: the same by two engine processes without hub and nodes: times as fast as by one",
    value: ratios(taken.one, taken.two),
    oneSeconds: spread(taken.one),
    twoSeconds: spread(taken.two),
  });
  await slots.close();
}

function product(rows: number): Program {
  const [a, b] = [input("a", "float32", [rows, SIDE]), input("b", "float32", [SIDE, SIDE])];
  return program({ inputs: { a, b }, outputs: { c: a.matmul(b) } });
}
