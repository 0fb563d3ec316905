// Training steps in a tab: the two models of bench:graph, on the tab's engine beside a bare one, and through a hub.
import type { BrowserContext } from "playwright-core";
import { connect } from "../../dist/flock/index.node.js";
import { gradients, Tensor as BuiltTensor } from "../../dist/graph/index.js";
import type { Expression } from "../../dist/graph/index.js";
import { serveBundled } from "../../test/browser/bundled-page.js";
import { batchOf, cnn, mlp, parameters, RATE, type Model } from "../graph/models.js";
import type { Tensor } from "../../src/tensor/index.js";
import { print } from "../jobs/statistics.js";
import type { StepsPage } from "./steps-page.js";

const FIGURES = [
  { name: "mlp", model: mlp, steps: 60, reach: 300 },
  { name: "cnn", model: cnn, steps: 12, reach: 45 },
] as const;
const ROUNDS = 7;

export async function engineSteps(browser: BrowserContext): Promise<void> {
  const at = (file: string) => new URL(file, import.meta.url);
  const served = await serveBundled({
    "/page.js": at("./steps-page.ts"),
    "/bare.js": at("./steps-worker.ts"),
    "/engine.js": at("../../src/engine/worker/engine-worker.ts"),
  });
  const page = await browser.newPage();
  await page.goto(served.url);
  await page.waitForFunction("window.stepsPerSecond !== undefined");
  for (const { name, steps, reach } of FIGURES) {
    const { own, floor, ratio } = await page.evaluate(
      ([name, steps, rounds]) => (window as unknown as StepsPage).stepsPerSecond(name, steps, rounds),
      [name, steps, ROUNDS] as const,
    );
    print({
      bench: "tab",
      what: `${name} step on the tab's engine`,
      unit: "steps/s",
      own: Math.round(own * 10) / 10,
      floor: Math.round(floor * 10) / 10,
      floorIs: "bare onnxruntime-web in a worker",
      ofFloor: Math.round(ratio * 100) / 100,
      reach,
      ok: own >= reach,
    });
  }
  await page.close();
  served.close();
}

/** The weights stay in the tab; the loss of each step is read. One tab has joined `hub`. */
export async function hubSteps(hub: string): Promise<void> {
  for (const { name, model, steps } of FIGURES) {
    const client = await connect({ hub });
    const train = await training(client, model);
    for (let i = 0; i < steps; i++) await train.step();
    const from = performance.now();
    for (let i = 0; i < 2 * steps; i++) await train.step();
    const rate = (2000 * steps) / (performance.now() - from);
    await train.end();
    await client.close();
    print({
      bench: "tab",
      what: `${name} step through a hub, its loss read each time`,
      unit: "steps/s",
      own: Math.round(rate * 10) / 10,
    });
  }
}

async function training(client: Awaited<ReturnType<typeof connect>>, model: Model) {
  const graph = client.graph();
  const batch = batchOf(model);
  // The models are source; what runs through a hub is what was built.
  const leaf = ({ dtype, shape, data }: Tensor) => graph.tensor(new BuiltTensor(dtype, shape, data));
  const [x, y] = [leaf(batch.x), leaf(batch.y)];
  let weights: Record<string, Expression> = Object.fromEntries(
    Object.entries(parameters(model)).map(([name, value]) => [name, leaf(value)]),
  );
  return {
    async step(): Promise<number> {
      const logits = model.logits as unknown as (x: Expression, p: typeof weights) => Expression;
      const loss = logits(x, weights).softmaxCrossEntropy(y).mean();
      const names = Object.keys(weights);
      const slopes = gradients(loss, Object.values(weights));
      const next = names.map((name, i) => weights[name]!.sub(slopes[i]!.mul(RATE)));
      const [value] = await Promise.all([graph.value(loss), graph.compute(loss, ...next)]);
      graph.release(...Object.values(weights));
      weights = Object.fromEntries(names.map((name, i) => [name, next[i]!]));
      return Number((value.data as Float32Array)[0]);
    },
    end: () => graph.end(),
  };
}
