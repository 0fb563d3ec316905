// Whether a node and its engine stay as large as they are over ten thousand groups.
import { Tensor } from "../../dist/graph/index.js";
import { print } from "../graph/contest.js";
import { residentMb, startFlock } from "./flock.js";

const GRAPHS = 50;
const GROUPS = 200;
const SIDE = 96;
/** Graphs after which everything has been used once. */
const WARM = 10;
/** Growth that is the collector's mood. */
const FLAT = 1.1;

export async function memory(): Promise<void> {
  const processes = await startFlock(1);
  const [node] = processes.nodes;
  const flock = await processes.connect();
  const samples: Record<"node" | "engine" | "hub", number[]> = { node: [], engine: [], hub: [] };
  let groups = 0;
  const started = performance.now();
  for (let i = 0; i < GRAPHS; i++) {
    // Eager: every operation is a group. Its value of 36 KiB stays at the node until it is released.
    const graph = flock.graph({ eager: true });
    let x = graph.tensor(new Tensor("float32", [SIDE, SIDE], new Float32Array(SIDE * SIDE)));
    for (let j = 0; j < GROUPS; j += 2) x = x.add(1 + (j % 20)).mul(0.5);
    await x.value();
    groups += graph.progress.done;
    await graph.end();
    if ((i + 1) % 5 !== 0) continue;
    samples.node.push(residentMb(node!.pid));
    samples.engine.push(residentMb(node!.engine));
    samples.hub.push(residentMb(processes.hub.pid));
  }
  const seconds = (performance.now() - started) / 1000;
  for (const [of, values] of Object.entries(samples)) {
    const warm = values[WARM / 5 - 1]!;
    print({
      figure: `memory of the ${of} over ${groups} groups, MB`,
      samples: values,
      grown: Number((values.at(-1)! / warm).toFixed(3)),
      reach: `flat: ${FLAT}`,
    });
  }
  print({ figure: "groups a second meanwhile", value: Math.round(groups / seconds) });
  await processes.stop();
}
