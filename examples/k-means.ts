// k-means: points near three centres are put into three clusters. Each round is a graph; centres stay with the nodes.
// npm run build && npx tsx examples/k-means.ts [points] [rounds]
import { connect } from "flockwork";
import type { Expression } from "flockwork/graph";

const [points, rounds] = [Number(process.argv[2] ?? 30_000), Number(process.argv[3] ?? 10)];
const centres = [
  [0, 0],
  [10, 0],
  [0, 10],
];

/** Points round the centres, the same at every run. */
const data = Float32Array.from({ length: points * 2 }, (_, i) => {
  const point = i >> 1;
  return centres[point % 3]![i & 1]! + Math.sin(point * 12.9898 + (i & 1) * 78.233);
});

const flock = await connect();
const graph = flock.graph({ name: "k-means" });
const x = graph.tensor(data, { shape: [points, 2] });

/** The squared distance of every point from every centre, [points, 3]. */
function distances(means: Expression): Expression {
  return x.expandDims(1).sub(means.expandDims(0)).square().sum([2]);
}

let means = x.slice([0], [3], [0]).mul(0.5);
for (let round = 0; round < rounds; round++) {
  const nearest = distances(means).argmin(1);
  const belongs = nearest.oneHot(3); // [points, 3]
  const counts = belongs.sum([0]).expandDims(1).maximum(1);
  const next = belongs.transpose([1, 0]).matmul(x).div(counts);
  // Computed and left where it is: the next round begins there.
  await graph.compute(next);
  means = next;
}
const spread = distances(means).min([1]).mean();
const [found, within] = await graph.values([means, spread]);
console.log(found!.toString());
console.log(`mean squared distance ${(within!.data[0] as number).toFixed(3)}`);
await graph.end();
await flock.close();
