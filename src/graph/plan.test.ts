// What plans decide, on graphs whose best cut is known; and that plans of odd graphs compute what the whole does.
import { beforeAll, describe, expect, it } from "vitest";
import { toTensor, type Tensor } from "../tensor/index.js";
import type { Expression } from "./expression.js";
import { loadHostKernels } from "./host-kernels.js";
import { evaluate } from "./interpreter.js";
import { input, tensor } from "./leaf.js";
import { plan, runPlan, type Capacity } from "./plan.js";
import { program, type Program } from "./program.js";

const nodes = (...flops: readonly number[]): Capacity => ({
  nodes: flops.map((speed) => ({ flops: speed, memory: speed * 10 })),
  bandwidth: 1e8,
  roundTrip: 1e-3,
});

/** Runs a program by the interpreter. */
async function run(p: Program, values: Readonly<Record<string, Tensor>>): Promise<Record<string, Tensor>> {
  const results = evaluate(p.graph.outputs, p.feeds(values));
  return Object.fromEntries(p.outputs.map(({ name }, i) => [name, results[i]!.toTensor()]));
}

function tower(x: Expression, depth: number): Expression {
  let y = x;
  for (let i = 0; i < depth; i++) y = y.tanh().mul(0.5 + i / 100);
  return y;
}

beforeAll(() => loadHostKernels());

describe("plan", () => {
  it("gives branches that do not need each other to different nodes", () => {
    const x = input("x", "float32", [1, 100]);
    const z = input("z", "float32", [1, 100]);
    const p = program({ outputs: { y: tower(x, 200).add(tower(z, 200)) } });
    const made = plan(p, { ...nodes(1e5, 1e5), roundTrip: 1e-2 });
    expect(made.tasks.length).toBeGreaterThanOrEqual(2);
    expect(made.cost.seconds).toBeLessThan(0.6 * made.cost.alone);
  });

  it("keeps a chain on one node where the way costs more than the work", () => {
    const x = input("x", "float32", ["n"]);
    const p = program({ outputs: { y: tower(x, 200) } });
    expect(plan(p, { ...nodes(1e9, 1e9), bandwidth: 1e3 }, { lengths: { n: 1000 } }).tasks).toHaveLength(1);
  });

  it("makes one task of each chain whose links all read its beginning, and none of what adds the chains up", () => {
    const side = 768;
    const chain = (i: number): Expression => {
      const row = input(`row${i}`, "float32", [side]);
      const first = row.reshape([side, 1]).mul(row.reshape([1, side]));
      let y = first;
      for (let k = 0; k < 8; k++) y = y.matmul(first);
      return y.sum([0]);
    };
    const chains = Array.from({ length: 10 }, (_, i) => chain(i));
    const p = program({ outputs: { y: chains.reduce((sum, each) => sum.add(each)) } });
    // A product takes 9 ms; its operands would take 47, or 5.
    for (const bandwidth of [1e8, 1e9]) {
      const made = plan(p, { ...nodes(1e11, 2.5e10), bandwidth });
      const flops = made.tasks.map(({ cost }) => cost.flops).sort((a, b) => b - a);
      expect(flops).toHaveLength(11);
      for (const each of flops.slice(0, 10)) expect(each).toBeCloseTo(flops[0]!, -9);
      expect(flops[10]).toBeLessThan(1e6);
    }
  });

  it("cuts pieces as long as nodes are fast, and equal pieces are one program", () => {
    const x = input("x", "float32", ["n", 16]);
    const p = program({ outputs: { y: tower(x, 50) } });
    const rows = (made: ReturnType<typeof plan>): [number | undefined, unknown][] =>
      made.tasks
        .filter(({ node }) => node !== undefined)
        .map(({ node, program: { outputs } }) => [node, outputs[0]!.type.shape[0]]);
    const uneven = plan(p, nodes(1e6, 3e6), { lengths: { n: 400 } });
    expect(rows(uneven).sort()).toEqual([
      [0, 100],
      [1, 300],
    ]);
    const even = plan(p, nodes(1e6, 1e6), { lengths: { n: 400 } });
    const own = even.tasks.filter(({ node }) => node !== undefined);
    expect(own).toHaveLength(2);
    expect(own[1]!.program).toBe(own[0]!.program);
  });

  it("runs graphs whose lengths only running tells, and host operators", async () => {
    const x = input("x", "float32", ["n"]);
    const found = tower(x, 30).relu().nonzero();
    const places = (Array.isArray(found) ? found[0] : found) as Expression;
    const m = input("m", "float64", [2, 2]);
    const p = program({
      outputs: { chosen: tower(x.take(places.reshape([-1])), 30), solved: m.inv().matmul(m) },
    });
    const given = {
      x: toTensor([1, -2, 3, 0.5, -1]),
      m: toTensor([[2, 1], [1, 3]], { dtype: "float64" }), // prettier-ignore
    };
    const made = plan(p, { ...nodes(10, 10), roundTrip: 0 }, { lengths: { n: 5 } });
    expect(made.tasks.length).toBeGreaterThan(1);
    const [whole, pieces] = [await run(p, given), await runPlan(made, given, run)];
    expect(pieces).toEqual(whole);
  });

  it("gives inputs and constants that are outputs themselves", async () => {
    const x = input("x", "float32", [2]);
    const p = program({ outputs: { x, one: tensor([1, 1]), y: x.exp() } });
    const given = { x: toTensor([1, 2]) };
    expect(await runPlan(plan(p, nodes(1, 1)), given, run)).toEqual(await run(p, given));
  });

  it("says what is missing", () => {
    const p = program({ outputs: { y: input("x", "float32", ["batch", 2]).exp() } });
    expect(() => plan(p, nodes(1, 1))).toThrow(
      "plan: the input x is float32 [batch,2]; a plan is made for known lengths: give them, as in { lengths: { batch: 64 } }",
    );
    expect(() => plan(p, nodes())).toThrow("plan: capacity.nodes is empty");
    expect(() => plan(p, nodes(-1))).toThrow("plan: capacity holds -1; speeds are above 0 a second");
  });
});
