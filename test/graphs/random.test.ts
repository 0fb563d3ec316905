// Random graphs on eight nodes, one of which is killed at a random point: the result is that of one engine alone.
import { afterAll, beforeAll, expect, it } from "vitest";
import { input, program } from "../../dist/graph/index.js";
import { Tensor } from "../../dist/tensor/index.js";
import { openEngines } from "../../dist/flock/index.node.js";
import { figure, Flock, until, type HubProcess, type Program } from "../flock.js";
import { client, matrix, nodes, random, type Client, type Expression } from "./fleet.js";

const NODES = 8;
/** Values of 16 KiB and more stay with their nodes; smaller ones go by way of the hub. */
const SIDES = [8, 80];

/** Operations on expressions of one shape: `built` gets each with the leaves it needs, so that two worlds can build the same. */
type Step = (pick: (i: number) => Expression) => Expression;

/** `count` operations; each names earlier values by number. The first are leaves. */
function steps(count: number, leaves: number, next: () => number): Step[] {
  const unary = [
    (x: Expression) => x.relu(),
    (x: Expression) => x.abs(),
    (x: Expression) => x.negative(),
    (x: Expression) => x.tanh(),
    (x: Expression) => x.transpose(),
  ];
  const binary = [
    (a: Expression, b: Expression) => a.add(b),
    (a: Expression, b: Expression) => a.subtract(b),
    (a: Expression, b: Expression) => a.multiply(b).tanh(),
    (a: Expression, b: Expression) => a.maximum(b),
    // Stays small, however many follow.
    (a: Expression, b: Expression) => a.matmul(b).divide(100).tanh(),
  ];
  return Array.from({ length: count }, (_, i): Step => {
    const known = leaves + i;
    // Rather what is near: long chains, with some that reach far back.
    const near = () => known - 1 - Math.floor(Math.min(known - 1, known * next() ** 3));
    const [a, b] = [near(), near()];
    const one = next() < 0.4;
    const at = Math.floor(next() * 5);
    return (pick) => (one ? unary[at]!(pick(a)) : binary[at]!(pick(a), pick(b)));
  });
}

function build(all: readonly Step[], leaves: readonly Expression[]): Expression[] {
  const values = [...leaves];
  for (const step of all) values.push(step((i) => values[i]!));
  return values;
}

let end!: () => Promise<void>;
let flock: Flock;
let hub: HubProcess;
let fleet: Program[];
let joined: Client;
beforeAll(async () => {
  flock = new Flock((finish) => (end = finish));
  hub = await flock.hub({ ephemeral: true });
  fleet = await nodes(flock, hub, NODES);
  joined = await client(flock, hub);
});
afterAll(() => end());

it.each([
  [1, 1000, "planned"],
  [2, 200, "each operation a task"],
  [3, 100, "each operation a task"],
])("seed %i: %i operations, %s", async (seed, count, how) => {
  const next = random(seed);
  const side = SIDES[seed % 2]!;
  const leaves = Array.from({ length: 6 }, () => matrix(side, side, () => 2 * next() - 1));
  const all = steps(count, leaves.length, next);
  const last = leaves.length + count - 1;
  const read = [...Array.from({ length: 8 }, () => leaves.length + Math.floor(next() * count)), last];
  const victim = Math.floor(next() * NODES);
  const killAt = Math.floor(next() * 0.8 * count);

  const graph = joined.graph({ eager: how !== "planned" });
  const values = build(
    all,
    leaves.map((leaf) => graph.tensor(leaf)),
  );
  const from = performance.now();
  const results = graph.values(read.map((i) => values[i]!));
  results.catch(() => undefined);
  await until(
    "tasks to be done",
    () => graph.progress,
    ({ done, total }) => done >= Math.min(killAt, total - 1),
  );
  await fleet[victim]!.kill();
  const got = await results;
  const ms = Math.round(performance.now() - from);
  figure(`seed ${seed}: ${count} operations on ${NODES} nodes, one killed after ${killAt}`, `${ms} ms`);
  await graph.end();

  const expected = await alone(all, leaves, read);
  for (const [k, tensor] of got.entries()) expectSame(tensor, expected[k]!, `output ${read[k]}`);
  fleet[victim] = (await nodes(flock, hub, 1))[0]!;
});

/** The same on one engine, as one program. */
async function alone(
  all: readonly Step[],
  leaves: readonly Tensor[],
  read: readonly number[],
): Promise<Tensor[]> {
  const inputs = leaves.map(({ dtype, shape }, i) => input(`x${i}`, dtype, shape));
  const values = build(all, inputs);
  const p = program({
    inputs: Object.fromEntries(inputs.map((x, i) => [`x${i}`, x])),
    outputs: Object.fromEntries(read.map((i, k) => [`y${k}`, values[i]!])),
  });
  const engine = await openEngines({ slots: 1 });
  try {
    const feeds = p.inputs.map(({ name }) => leaves[Number(name.slice(1))]!);
    const { outputs } = await engine.run({ hash: p.hash, model: () => Promise.resolve(p.model) }, feeds)
      .settled;
    return outputs;
  } finally {
    await engine.close();
  }
}

/** Within what a sum in another order may differ by; what has no sums is equal to the bit. */
function expectSame(got: Tensor, expected: Tensor, what: string): void {
  expect([got.dtype, got.shape], what).toEqual([expected.dtype, expected.shape]);
  const [a, b] = [got.data as Float32Array, expected.data as Float32Array];
  const worst = a.reduce((most, value, i) => Math.max(most, Math.abs(value - b[i]!)), 0);
  expect(worst, what).toBeLessThan(1e-4);
}
