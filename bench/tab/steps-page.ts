// Runs in a page: SGD steps on the engine of a tab (a slot, and a worker behind it), and on a bare engine in a worker.
import { workerSlots } from "../../src/engine/worker/page-slots.js";
import { contest } from "../graph/contest.js";
import { batchOf, cnn, mlp, parameters, sgdStep } from "../graph/models.js";
import type { Tensor } from "../../src/tensor/index.js";
import type { StepsOrder } from "./steps-worker.js";

export interface StepsPage {
  /** Steps a second in the best of some rounds, and the median of what the tab does of the floor. */
  stepsPerSecond(
    model: StepsOrder["model"],
    steps: number,
    rounds: number,
  ): Promise<{ readonly own: number; readonly floor: number; readonly ratio: number }>;
}

const page: StepsPage = {
  async stepsPerSecond(name, steps, rounds) {
    const bare = new Worker("/bare.js", { type: "module" });
    const hear = <T>() =>
      new Promise<T>((resolve, reject) => {
        bare.onmessage = ({ data }: MessageEvent<T>) => resolve(data);
        bare.onerror = ({ message }) => reject(new Error(message));
      });
    await hear();
    const slots = await workerSlots({
      slots: 1,
      wasmPaths: `${location.origin}/ort/`,
      start: () => new Worker("/engine.js", { type: "module" }),
    });
    const model = name === "mlp" ? mlp : cnn;
    const step = sgdStep(model);
    const source = { hash: step.hash, model: () => Promise.resolve(step.model) };
    let values: Record<string, Tensor> = { ...batchOf(model), ...parameters(model) };
    const own = async (count: number): Promise<number> => {
      const from = performance.now();
      for (let i = 0; i < count; i++) {
        const feeds = step.feeds(values);
        const { outputs } = await slots.run(
          source,
          step.inputs.map(({ slot }) => feeds[slot]!),
        ).settled;
        const made = step.outputs.flatMap(({ name }, i): [string, Tensor][] =>
          name.startsWith("next_") ? [[name.slice("next_".length), outputs[i]!]] : [],
        );
        values = { ...values, ...Object.fromEntries(made) };
      }
      return (performance.now() - from) / 1000 / count;
    };
    const floor = (count: number): Promise<number> => {
      const answer = hear<number>();
      bare.postMessage({ model: name, steps: count } satisfies StepsOrder);
      return answer;
    };
    const standings = await contest({ floor, own }, { rounds, steps });
    bare.terminate();
    await slots.close();
    return {
      own: 1 / standings["own"]!.best,
      floor: 1 / standings["floor"]!.best,
      ratio: standings["own"]!.ratio,
    };
  },
};
Object.assign(window, page);
