// Two tensors added by whoever has joined the hub: `npx flockwork up`, `npx flockwork node`, then
// npm run build && npx tsx examples/add.ts
import { connect } from "flockwork";

const flock = await connect();
const graph = flock.graph({ name: "add" });
const c = graph.tensor([1, 2, 3]).add(graph.tensor([5, 22, 7]));
console.log(await c.value()); // Tensor float32 [3] 6 24 10
console.log(graph.progress);
await graph.end();
await flock.close();
