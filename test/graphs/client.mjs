// A client in a process of its own: `client.mjs '{"hub":"ws://...","does":"holds"}'`.
import { connect, Tensor } from "../../dist/flock/index.node.js";

const { hub, does } = JSON.parse(process.argv[2]);
const print = (line) => process.stdout.write(`${line}\n`);
const flock = await connect({ hub });
const graph = flock.graph({ eager: true });

if (does === "holds") {
  // Values of 38 KiB, which stay with the nodes until this process is killed.
  let x = graph.tensor(new Tensor("float32", [80, 120], new Float32Array(9600).fill(1)));
  const held = Array.from({ length: 5 }, () => (x = x.add(x)));
  await graph.compute(...held);
  print("computed");
  setInterval(() => undefined, 1000);
} else {
  // What no type says: only the engine sees that there is no element 7.
  const missing = graph.tensor([1, 2, 3]).gather(graph.tensor([7], { dtype: "int64" }));
  const [failure] = await graph.value(missing).then(
    () => [],
    ({ failures }) => failures,
  );
  print(`failed ${JSON.stringify(failure)}`);
  print(`sum ${(await graph.value(graph.tensor([1, 2, 3]).add(1).sum())).data[0]}`);
  await graph.end().catch(() => undefined);
  await flock.close();
}
