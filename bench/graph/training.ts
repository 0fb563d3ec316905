// The figures of the two models' SGD steps: ours beside the same step by hand and beside PyTorch, all on one thread.
import type { Engine } from "../../src/engine/engine.js";
import { toNumbers } from "../../src/tensor/index.js";
import { contest, print, round } from "./contest.js";
import { cnnByHand, mlpByHand } from "./hand.js";
import { cnn, mlp, sgdStep, sgdSteps, type Model } from "./models.js";
import { handSteps, programSteps, type Steps } from "./steps.js";
import type { Torch } from "./torch.js";

const FIGURES = [
  { model: mlp, byHand: [mlpByHand], steps: 100, hand: 1, torch: 1 },
  {
    model: cnn,
    byHand: (["first", "fast"] as const).map((hand) => (model: Model) => cnnByHand(model, hand)),
    steps: 10,
    hand: 0.95,
    torch: 0.65,
  },
];

/** Steps within one program. */
const INNER = 10;

export async function training(engine: Engine, torch: Torch | string, rounds: number): Promise<void> {
  for (const { model, byHand, steps, hand, torch: reach } of FIGURES) {
    const own = await programSteps(engine, model, sgdStep(model));
    const many = await programSteps(engine, model, sgdSteps(model, INNER), INNER);
    const floors = await Promise.all(byHand.map((write) => handSteps(engine, model, write(model))));
    await agree(model, own, floors, torch);
    const standings = await contest(
      {
        ...Object.fromEntries(floors.map(({ contender }, i) => [`floor${i}`, contender])),
        own: own.contender,
        many: many.contender,
        ...(typeof torch === "object" && {
          torch: async (count: number) => (await torch.run(model, count)).seconds,
        }),
      },
      { rounds, steps },
    );
    const milliseconds = (name: string): number => round(standings[name]!.best * 1000);
    // Where there are several ways by hand, the fastest is the floor.
    const [floor] = floors
      .map((_, i) => `floor${i}`)
      .toSorted((a, b) => standings[a]!.best - standings[b]!.best);
    const ratio = standings.own!.ratio / standings[floor!]!.ratio;
    print({
      bench: "training",
      what: `${model.name}, one SGD step by gradients() beside the same by hand in ONNX`,
      unit: "ms",
      own: milliseconds("own"),
      floor: milliseconds(floor!),
      ratio: round(ratio),
      reach: hand,
      ok: ratio >= hand,
    });
    for (const [name, what] of [
      ["own", "one step a run"],
      ["many", `${INNER} steps a run`],
    ] as const) {
      const line = { bench: "training", what: `${model.name} beside PyTorch CPU, ${what}`, unit: "ms" };
      if (typeof torch === "string") print({ ...line, own: milliseconds(name), skipped: torch });
      else {
        const beside = standings[name]!.ratio / standings.torch!.ratio;
        print({
          ...line,
          own: milliseconds(name),
          torch: milliseconds("torch"),
          version: torch.version,
          ratio: round(beside),
          reach,
          ok: beside >= reach,
        });
      }
    }
  }
}

/** All start at the same weights: after one step their weights must be the same, or the figures compare nothing. */
async function agree(
  model: Model,
  own: Steps,
  floors: readonly Steps[],
  torch: Torch | string,
): Promise<void> {
  await own.contender(1);
  const ours = own.last();
  for (const floor of floors) {
    await floor.contender(1);
    const theirs = floor.last();
    for (const name of Object.keys(ours)) {
      const expected = toNumbers(theirs[name]!);
      toNumbers(ours[name]!).forEach((value, i) => {
        if (!(Math.abs(value - expected[i]!) < 1e-4 * (1 + Math.abs(expected[i]!))))
          throw new Error(`${model.name}: ${name}[${i}] is ${value}, by hand ${expected[i]}`);
      });
    }
  }
  if (typeof torch === "string") return;
  const { loss } = await torch.run(model, 1);
  const [expected] = toNumbers(ours.loss!);
  if (!(Math.abs(loss - expected!) < 1e-4 * (1 + loss)))
    throw new Error(`${model.name}: the loss is ${expected}, PyTorch says ${loss}`);
}
