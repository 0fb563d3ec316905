// Softmax regression on made-up digits: one program holds the model, its loss and its gradients; an engine runs it step by step.
// npm run build && npx tsx examples/softmax-regression.ts
import { loadProgram, ortWebEngine } from "flockwork/engine";
import { gradients, input, named, program, tensor, toNumbers, toTensor, zeros } from "flockwork/graph";

const [pixels, classes, batch, steps, rate] = [784, 10, 64, 40, 0.002];

const x = input("x", "float32", ["batch", pixels]);
const y = input("y", "int64", ["batch"]);
const w = tensor(new Float32Array(pixels * classes), { name: "w", shape: [pixels, classes] });
const b = zeros([classes], { name: "b" });

const logits = x.matmul(w).add(b);
const loss = logits.softmaxCrossEntropy(y).mean();
const right = logits.argmax(-1).equal(y).cast("float32").mean();
const step = program({
  inputs: { x, y, w, b },
  outputs: { loss, right, ...named(gradients(loss, [w, b])) },
});

console.log(
  `program ${step.hash.slice(0, 12)}: ${step.cost({ batch }).flops.toLocaleString("en")} FLOPs a step`,
);
await step.save("step.onnx");

/** A digit of a class: that class's pattern, and noise. */
function digits(seed: number) {
  const labels = Array.from({ length: batch }, (_, i) => (i * 7 + seed) % classes);
  const data = labels.flatMap((label, i) =>
    Array.from(
      { length: pixels },
      (_, j) => Math.sin((label + 1) * j) + 2 * Math.sin(i * 12.9 + j * 78.2 + seed),
    ),
  );
  return {
    x: toTensor(Float32Array.from(data), { shape: [batch, pixels] }),
    y: toTensor(labels, { dtype: "int64" }),
  };
}

const session = await loadProgram(await ortWebEngine(), step);
let weights = { w: new Float32Array(pixels * classes), b: new Float32Array(classes) };
for (let i = 0; i <= steps; i++) {
  const results = await session.run({
    ...digits(i),
    w: toTensor(weights.w, { shape: [pixels, classes] }),
    b: toTensor(weights.b),
  });
  // The gradients bear the names of what they belong to.
  const down = (name: "w" | "b") => {
    const g = toNumbers(results[name]!);
    return weights[name].map((value, k) => value - rate * g[k]!);
  };
  weights = { w: down("w"), b: down("b") };
  if (i % 10 === 0) {
    const [l, r] = [results.loss!, results.right!].map((value) => toNumbers(value)[0]!);
    console.log(`step ${i}: loss ${l!.toFixed(3)}, ${Math.round(r! * 100)} % right`);
  }
}
await session.release();
