// A page's worker with a bare engine in it: ONNX Runtime on WebAssembly and nothing round it. What it is told to run it runs, and says how long it took.
import { startPageEngine } from "../../src/engine/worker/start-page-engine.js";
import { cnn, mlp, sgdStep } from "../graph/models.js";
import { programSteps, type Steps } from "../graph/steps.js";

export interface StepsOrder {
  readonly model: "mlp" | "cnn";
  readonly steps: number;
}

const { engine } = await startPageEngine({ wasmPaths: `${location.origin}/ort/` });
const ready = new Map<string, Steps>();

addEventListener("message", ({ data }: MessageEvent<StepsOrder>) => {
  void (async () => {
    const model = data.model === "mlp" ? mlp : cnn;
    let steps = ready.get(data.model);
    if (steps === undefined)
      ready.set(data.model, (steps = await programSteps(engine, model, sgdStep(model))));
    postMessage(await steps.contender(data.steps));
  })();
});
postMessage("ready");
