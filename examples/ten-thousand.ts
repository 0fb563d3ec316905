// Ten thousand operations as one graph. Building them sends nothing; plan() says what reading would take; one value is read.
// npm run build && npx tsx examples/ten-thousand.ts [operations]
import { connect } from "flockwork";
import type { Expression } from "flockwork/graph";

const operations = Number(process.argv[2] ?? 10_000);
const branches = 20;

const flock = await connect();
const graph = flock.graph({ name: "ten thousand" });

const started = performance.now();
const sums: Expression[] = [];
for (let branch = 0; branch < branches; branch++) {
  let x = graph.tensor(new Float32Array(1000).fill(branch / branches));
  for (let i = 0; i < operations / branches - 2; i++) x = i % 2 === 0 ? x.mul(1.01) : x.tanh();
  sums.push(x.sum());
}
const total = sums.reduce((a, b) => a.add(b));
console.log(`built in ${Math.round(performance.now() - started)} ms`);

const { tasks, cost, participants } = await graph.plan(total);
console.log(
  `${tasks.length} tasks for ${participants.length} nodes, ${cost.flops.toLocaleString("en")} FLOPs, ${cost.seconds.toFixed(3)} s expected`,
);
console.log(await total.value());
console.log(graph.progress, graph.statistics());
await graph.end();
await flock.close();
