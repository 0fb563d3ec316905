// Nodes that answer wrong products, and a client that checks them (verify: "freivalds").
import { expect, it } from "vitest";
import { connect, GraphFailure, openEngines, startHub, type Hub } from "../../dist/flock/index.node.js";
import { ComputingNode, noModules } from "../../dist/node/index.js";
import { Tensor, toNumbers } from "../../dist/tensor/index.js";
import { dialWith } from "../../dist/wire/socket.node.js";
import { until } from "../flock.js";

/** A real node whose engine's answers are changed on their way out. */
async function node(hub: Hub, name: string, lie?: (output: Tensor) => Tensor): Promise<ComputingNode> {
  return ComputingNode.start(
    { hub: hub.url, name },
    {
      dial: dialWith({}),
      software: "test",
      modules: noModules,
      engine: async (options) => {
        const slots = await openEngines(options);
        if (lie === undefined) return slots;
        return Object.create(slots, {
          facts: { value: slots.facts },
          benchmark: { value: () => slots.benchmark() },
          close: { value: () => slots.close() },
          run: {
            value: (...args: Parameters<typeof slots.run>) => {
              const { settled, ...run } = slots.run(...args);
              const lied = settled.then(({ outputs, ms }) => ({ ms, outputs: outputs.map(lie) }));
              return { ...run, kill: run.kill, settled: lied };
            },
          },
        }) as typeof slots;
      },
    },
  );
}

/** One element of a matrix is another. */
function slightly(output: Tensor): Tensor {
  if (output.dtype !== "float32" || output.shape.length !== 2) return output;
  const data = Float32Array.from(output.data as Float32Array);
  data[data.length >> 1]! += 1;
  return new Tensor("float32", output.shape, data);
}

const matrix = (seed: number) =>
  Float32Array.from({ length: 100 * 100 }, (_, i) => Math.sin(i * 12.9898 + seed));

it("finds a wrong product, and says which operation and which node", async ({ onTestFinished }) => {
  const hub = await startHub({ port: 0, log: { level: "silent" } });
  onTestFinished(() => hub.close());
  const liar = await node(hub, "liar", slightly);
  const flock = await connect({ hub: hub.url });
  onTestFinished(async () => {
    await flock.close();
    await liar.close();
  });
  const graph = flock.graph({ name: "checked", verify: "freivalds" });
  const product = graph.tensor(matrix(1), { shape: [100, 100] }).matmul(graph.tensor(matrix(2), { shape: [100, 100] })); // prettier-ignore
  const error = await product.sum().value().catch((reason: unknown) => reason); // prettier-ignore
  expect(error).toBeInstanceOf(GraphFailure);
  expect((error as GraphFailure).failures).toMatchObject([{ operation: "matmul", code: "wrong_result", node: liar.id }]); // prettier-ignore
  expect((error as GraphFailure).failures[0]!.line).toMatch(/liars\.test\.ts/);
  await expect(graph.end()).rejects.toThrow(/Freivalds/);

  // Without the check nobody would know; with an honest node there is nothing to find.
  await liar.close();
  const honest = await node(hub, "honest");
  onTestFinished(() => honest.close());
  const again = flock.graph({ verify: "freivalds" });
  const asked = again.tensor(1);
  await until(
    "the honest node alone",
    async () => [...(await again.plan(asked)).participants],
    (ids) => ids.length === 1 && ids[0] === honest.id,
    60_000,
  );
  const [a, b] = [1, 2].map((seed) => again.tensor(matrix(seed), { shape: [100, 100] }));
  const [sum, all] = await again.values([a!.matmul(b!).sum(), a!.matmul(b!)]);
  expect(toNumbers(sum!)[0]).toBeCloseTo(
    toNumbers(all!).reduce((x, y) => x + y),
    1,
  );
  await again.end();
});
