// What tests have tabs compute. Small whole numbers, so that every engine gives the same bits.
import { expect } from "vitest";
import type { Flock as Client } from "../../dist/flock/index.node.js";
import { input, program, toTensor, type Expression, type Program } from "../../dist/graph/index.js";

const SIDE = 48;
const CHAINS = 6;
const LENGTH = 12;

/** Chains of products beside each other, each operation a task, and their sum. */
export async function computeChains(client: Client): Promise<number[]> {
  const graph = client.graph({ eager: true });
  const kept: Expression[] = [];
  const keep = (expression: Expression) => (kept.push(expression), expression);
  const chains = Array.from({ length: CHAINS }, (_, chain) => {
    const row = (i: number) => Array.from({ length: SIDE }, (_, j) => ((i * 7 + j * 3 + chain) % 5) - 2);
    const a = graph.tensor(Array.from({ length: SIDE }, (_, i) => row(i)));
    let x = a;
    for (let i = 0; i < LENGTH; i++) x = keep(keep(x.matmul(a)).clip(-3, 3));
    return x;
  });
  const sum = chains.reduce((sum, chain) => keep(sum.add(chain)));
  const { data } = await graph.value(sum);
  await graph.end();
  expect(kept.length).toBeGreaterThan(CHAINS * LENGTH);
  return Array.from(data as Float32Array);
}

const LONG_SIDE = 256;
const start = toTensor(
  Float32Array.from({ length: LONG_SIDE ** 2 }, (_, i) => ((i * 7) % 5) - 2),
  { shape: [LONG_SIDE, LONG_SIDE] },
);
const long = (() => {
  const a = input("a", "float32", [LONG_SIDE, LONG_SIDE]);
  let x = a;
  for (let i = 0; i < 300; i++) x = x.matmul(a).clip(-3, 3);
  return program({ outputs: { y: x.sum([0]) } });
})();

/** One task that takes a tab seconds. */
export async function computeLong(client: Client): Promise<number[]> {
  const { y } = await client.run(long, { a: start });
  return Array.from(y!.data as Float32Array);
}

/** The largest product of a column of so many threes with itself as a row: needs four bytes times the square of `n`, and is 9. */
export async function computeSquare(client: Client, n: number): Promise<number> {
  const { y } = await client.run(squareOf(n), {
    x: toTensor(new Float32Array(n).fill(3), { shape: [n, 1] }),
  });
  return Number(y!.data[0]);
}

function squareOf(n: number): Program {
  const x = input("x", "float32", [n, 1]);
  return program({ outputs: { y: x.matmul(x.transpose()).max() } });
}
