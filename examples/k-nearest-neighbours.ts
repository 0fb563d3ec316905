// k nearest neighbours: each query gets the class that most of its five nearest points have.
// npm run build && npx tsx examples/k-nearest-neighbours.ts [points] [queries]
import { connect } from "flockwork";

const [points, queries, k, classes] = [Number(process.argv[2] ?? 5000), Number(process.argv[3] ?? 500), 5, 4];

/** Points of class c lie round (3 c, -3 c, c). */
const place = (i: number, axis: number, shift: number) =>
  [3, -3, 1][axis]! * (i % classes) + Math.sin(i * 12.9898 + axis * 78.233 + shift);
const cloud = (count: number, shift: number) =>
  Float32Array.from({ length: count * 3 }, (_, i) => place(Math.floor(i / 3), i % 3, shift));

const flock = await connect();
const graph = flock.graph({ name: "k nearest neighbours" });
const known = graph.tensor(cloud(points, 0), { shape: [points, 3] });
const labels = graph.tensor(
  Array.from({ length: points }, (_, i) => i % classes),
  { dtype: "int64" },
);
const asked = graph.tensor(cloud(queries, 1), { shape: [queries, 3] });

// |a - b|^2 = |a|^2 - 2 a b + |b|^2, and |a|^2 is the same for all neighbours of a.
const distance = known
  .square()
  .sum([1])
  .sub(asked.matmul(known.transpose([1, 0])).mul(2));
const { indices } = distance.topk(k, { smallest: true });
const votes = labels.take(indices).oneHot(classes).sum([1]);
const value = await votes.argmax(-1).value();

const right = Array.from(value.data as BigInt64Array, Number).filter((c, i) => c === i % classes).length;
console.log(`${right} of ${queries} right`);
await graph.end();
await flock.close();
