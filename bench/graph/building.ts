// How long it takes to build, plan and export graphs of ten thousand operations: the first of a process, and again.
import { gradients, input, program, tensor, type Expression, type Program } from "../../src/graph/index.js";
import { plan } from "../../src/graph/planning.js";
import { print, round } from "./contest.js";

const OPERATIONS = 10_000;
/** Seconds for building, planning and exporting together. */
const REACH = 1;

const capacity = {
  nodes: [4e10, 2e10, 1e10].map((flops) => ({ flops, memory: flops / 4 })),
  roundTrip: 1e-3,
  bandwidth: 1e8,
};

/** Every operation reads two of the last hundred, at places that repeat nothing. */
function web(operations: number): Expression {
  const x = input("x", "float32", ["n", 64]);
  const w = tensor(new Float32Array(64 * 64).fill(0.01), { shape: [64, 64] });
  const made: Expression[] = [x];
  let seed = 1;
  const pick = (): Expression => {
    seed = (seed * 48271) % 2147483647;
    return made[Math.max(0, made.length - 1 - (seed % 100))]!;
  };
  while (made.length < operations) {
    const a = pick();
    const turn = made.length % 8;
    made.push(
      turn === 0
        ? a.matmul(w)
        : turn === 1
          ? a.tanh()
          : turn === 2
            ? a.relu()
            : turn === 3
              ? a.sub(pick())
              : turn === 4
                ? a.mul(made.length / operations)
                : a.add(pick()),
    );
  }
  return made
    .slice(-100)
    .reduce((sum, y) => sum.add(y))
    .mean();
}

/** A tower of dense layers, and its gradients: most of the operations come from gradients(). */
function tower(operations: number): Program {
  let h = input("x", "float32", ["n", 64]);
  const weights: Expression[] = [];
  // Each layer is two operations forward, six or so back.
  for (let i = 0; i < operations / 8; i++) {
    const w = tensor(new Float32Array(64 * 64).fill(i / 1e6), { name: `w${i}`, shape: [64, 64] });
    weights.push(w);
    h = h.matmul(w).tanh();
  }
  const loss = h.mean();
  const grads = gradients(loss, weights);
  return program({ outputs: { loss, ...Object.fromEntries(grads.map((g, i) => [`d${i}`, g])) } });
}

const figures = {
  "a web of many kinds": () => program({ outputs: { y: web(OPERATIONS) } }),
  "dense layers and their gradients": () => tower(OPERATIONS),
};

export function building(): void {
  for (const [what, build] of Object.entries(figures)) {
    for (const when of ["cold", "warm", "warm"] as const) {
      const before = process.cpuUsage();
      const start = performance.now();
      const p = build();
      const built = performance.now();
      const made = plan(p, capacity, { lengths: { n: 32 } });
      const planned = performance.now();
      const bytes = p.toOnnx().length;
      const seconds = (performance.now() - start) / 1000;
      const { user, system } = process.cpuUsage(before);
      print({
        bench: "building",
        what: `${OPERATIONS} operations, ${what}, ${when}`,
        unit: "s",
        nodes: p.graph.nodes.length,
        tasks: made.tasks.length,
        bytes,
        built: round((built - start) / 1000),
        planned: round((planned - built) / 1000),
        exported: round(seconds - (planned - start) / 1000),
        seconds: round(seconds),
        // Of all threads, the garbage collector's too: what a machine that does other things as well would take at least.
        cpu: round((user + system) / 1e6),
        reach: REACH,
        ok: seconds < REACH,
      });
    }
  }
}
