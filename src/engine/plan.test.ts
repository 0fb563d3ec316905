// Plans run by an engine against the whole program: the same bits where pieces are elementwise, close where they are matrix products.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { gradients, input, named, program, tensor, type Expression, type Program } from "../graph/index.js";
import { plan, runPlan, type Capacity } from "../graph/planning.js";
import { toNumbers, toTensor, type Tensor } from "../tensor/index.js";
import type { Engine, Session } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";

/** Nodes so slow that everything is worth cutting. */
const slow = (...speeds: readonly number[]): Capacity => ({
  nodes: speeds.map((speed) => ({ flops: speed * 1e5, memory: speed * 1e6 })),
  bandwidth: 1e8,
  roundTrip: 1e-4,
});

let engine: Engine;
const sessions = new Map<string, Promise<Session>>();
beforeAll(async () => {
  engine = await ortNodeEngine();
});
afterAll(async () => {
  for (const session of sessions.values()) await (await session).release();
});

async function run(p: Program, values: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  const session = sessions.get(p.hash) ?? engine.load(p.model);
  sessions.set(p.hash, session);
  const results = await (await session).run(p.feeds(values));
  return Object.fromEntries(p.outputs.map(({ name, slot }) => [name, results[slot]!]));
}

function wave(shape: readonly number[], seed: number): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return toTensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + seed) / 2),
    { shape },
  );
}

async function compare(
  p: Program,
  capacity: Capacity,
  given: Readonly<Record<string, Tensor>>,
  lengths: Record<string, number>,
  tolerance: number,
): Promise<ReturnType<typeof plan>> {
  const made = plan(p, capacity, { lengths });
  const [serial, planned] = [await run(p, given), await runPlan(made, given, run)];
  for (const [name, whole] of Object.entries(serial)) {
    const pieces = planned[name]!;
    expect(pieces.shape).toEqual(whole.shape);
    const [a, b] = [toNumbers(whole), toNumbers(pieces)];
    const scale = a.reduce((top, v) => Math.max(top, Math.abs(v)), 1e-30);
    a.forEach((v, i) => {
      if (!Object.is(v, b[i]) && !(Math.abs(v - b[i]!) <= tolerance * scale))
        expect.fail(`${name}[${i}] is ${b[i]} in pieces and ${v} whole`);
    });
  }
  return made;
}

/** mulberry32. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const rows = 48;
const columns = 16;

/** `count` operators on matrices, each on some of the latest results; products among them if told. */
function random(seed: number, count: number, products: boolean): Program {
  const next = generator(seed);
  const [a, b] = [input("a", "float32", ["n", columns]), input("b", "float32", ["n", columns])];
  const pool: Expression[] = [a, b, a.mul(b)];
  const row = input("r", "float32", [columns]);
  const w = tensor(wave([columns, columns], 9), { name: "w" });
  const pick = (): Expression => pool[Math.max(0, pool.length - 1 - Math.floor(next() * 12))]!;
  while (pool.length < count) {
    const [x, y] = [pick(), pick()];
    const what = Math.floor(next() * (products ? 9 : 8));
    pool.push(
      [
        () => x.add(y).mul(0.5),
        () => x.mul(y),
        () => x.sub(row),
        () => x.neg(),
        () => x.maximum(y),
        () => x.abs().sqrt(),
        () => x.mul(row).add(0.25),
        () => x.greater(y).where(x, y),
        () => x.matmul(w).mul(0.2),
      ][what]!(),
    );
  }
  return program({
    outputs: {
      first: a.add(b).sub(row),
      ...Object.fromEntries(pool.flatMap((y, i) => (i % 10 === 9 ? [[`y${i}`, y]] : []))),
      total: pool.at(-2)!.max(0),
    },
  });
}

const given = { a: wave([rows, columns], 1), b: wave([rows, columns], 2), r: wave([columns], 3) };

describe("a plan of a random graph of 1,000 operators", () => {
  it.each([1, 2, 3, 4])("has the serial run's bits where it is elementwise (seed %i)", async (seed) => {
    const made = await compare(random(seed, 1000, false), slow(4, 2, 1), given, { n: rows }, 0);
    expect(made.tasks.length).toBeGreaterThan(3);
    expect(made.tasks.some(({ node }) => node !== undefined)).toBe(true);
    expect(made.cost.seconds).toBeLessThan(made.cost.alone);
  });

  it.each([5, 6])("is close to it with matrix products (seed %i)", async (seed) => {
    const made = await compare(random(seed, 1000, true), slow(2, 2), given, { n: rows }, 1e-4);
    expect(made.tasks.length).toBeGreaterThan(2);
    expect(made.cost.seconds).toBeLessThan(made.cost.alone);
  });
});

describe("a plan of a training step", () => {
  const [batch, features, hidden, classes] = [96, 64, 128, 10];
  const x = input("x", "float32", ["batch", features]);
  const y = input("y", "int64", ["batch"]);
  const w1 = tensor(wave([features, hidden], 1), { name: "w1" });
  const b1 = tensor(wave([hidden], 4), { name: "b1" });
  const w2 = tensor(wave([hidden, classes], 2), { name: "w2" });
  const loss = x.matmul(w1).add(b1).relu().matmul(w2).softmaxCrossEntropy(y).mean();
  const step = program({ inputs: { x, y }, outputs: { loss, ...named(gradients(loss, [w1, b1, w2])) } });
  const batchOf = {
    x: wave([batch, features], 3),
    y: toTensor(
      Float64Array.from({ length: batch }, (_, i) => i % classes),
      { dtype: "int64" },
    ),
  };

  it("cuts the batch, and adds up the gradients", async () => {
    const made = await compare(step, slow(3, 2, 1), batchOf, { batch }, 1e-5);
    expect(new Set(made.tasks.map(({ node }) => node))).toEqual(new Set([0, 1, 2, undefined]));
    expect(made.cost.seconds).toBeLessThan(0.8 * made.cost.alone);
  });

  it("is one task on one node, and where the round trip is longer than the work", async () => {
    for (const capacity of [slow(1), { ...slow(1, 1), roundTrip: 1e6 }]) {
      const made = await compare(step, capacity, batchOf, { batch }, 0);
      expect(made.tasks).toHaveLength(1);
    }
  });
});
