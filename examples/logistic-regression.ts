// Logistic regression as one graph of many steps: nothing is computed until the accuracy is read.
// npm run build && npx tsx examples/logistic-regression.ts [points] [steps]
import { connect } from "flockwork";
import { gradients } from "flockwork/graph";

const [points, steps] = [Number(process.argv[2] ?? 5000), Number(process.argv[3] ?? 30)];

/** A point is of class 1 where it lies above the line y = x. */
const places = Float32Array.from({ length: points * 2 }, (_, i) => 2 * Math.sin(i * 12.9898));
const classes = Float32Array.from({ length: points }, (_, i) =>
  places[2 * i + 1]! > places[2 * i]! ? 1 : 0,
);

const flock = await connect();
const graph = flock.graph({ name: "logistic regression" });
const x = graph.tensor(places, { shape: [points, 2] });
const y = graph.tensor(classes, { shape: [points, 1] });

let w = graph.tensor(new Float32Array(2), { shape: [2, 1] });
let b = graph.tensor([0]);
for (let i = 0; i < steps; i++) {
  const loss = x.matmul(w).add(b).sigmoidCrossEntropy(y).mean();
  const [dw, db] = gradients(loss, [w, b]);
  [w, b] = [w.sub(dw!.mul(1)), b.sub(db!.mul(1))];
}
const right = x.matmul(w).add(b).greater(0).equal(y.greater(0.5)).cast("float32").mean();
const [accuracy, weights] = await graph.values([right, w]);
console.log(`accuracy ${(accuracy!.data[0] as number).toFixed(3)}, weights ${weights!.toString()}`);
console.log(graph.progress);
await graph.end();
await flock.close();
