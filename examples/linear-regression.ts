// Linear regression by gradient descent: a step is a program, run again and again with the weights it gave before.
// npm run build && npx tsx examples/linear-regression.ts [points] [steps]
import { connect } from "flockwork";
import { gradients, input, program, tensor, toTensor, type Tensor } from "flockwork/graph";

const [points, steps, features] = [Number(process.argv[2] ?? 10_000), Number(process.argv[3] ?? 60), 4];
const truth = [2, -1, 0.5, 3];

const inputs = Float32Array.from({ length: points * features }, (_, i) => Math.sin(i * i));
const targets = Float32Array.from({ length: points }, (_, i) =>
  truth.reduce((sum, w, j) => sum + w * inputs[i * features + j]!, 0.25),
);

const x = input("x", "float32", ["n", features]);
const y = input("y", "float32", ["n", 1]);
const w = tensor(new Float32Array(features), { name: "w", shape: [features, 1] });
const b = tensor(new Float32Array(1), { name: "b" });
const loss = x.matmul(w).add(b).meanSquaredError(y);
const [dw, db] = gradients(loss, [w, b]);
const step = program({
  inputs: { x, y, w, b },
  outputs: { loss, w: w.sub(dw!.mul(0.5)), b: b.sub(db!.mul(0.5)) },
});

const flock = await connect();
const data = {
  x: toTensor(inputs, { shape: [points, features] }),
  y: toTensor(targets, { shape: [points, 1] }),
};
let state: Record<string, Tensor> = {};
for (let i = 0; i < steps; i++) {
  const { loss: last, ...next } = await flock.run(step, { ...data, ...state });
  if (i % 10 === 0) console.log(`step ${i}: loss ${(last!.data[0] as number).toFixed(5)}`);
  state = next;
}
const numbers = (t: Tensor) => Array.from(t.data as Float32Array, (value) => value.toFixed(2)).join(" ");
console.log(`weights ${numbers(state.w!)}, bias ${numbers(state.b!)}`);
await flock.close();
