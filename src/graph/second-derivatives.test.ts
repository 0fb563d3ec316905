// The gradient of every row's gradient agrees with finite differences of the gradient: rules are made of rows that have rules.
import { beforeAll, describe, expect, it } from "vitest";
import { loadHostKernels } from "./catalogue/host.js";
import { cases, type Case } from "./cases/index.js";
import { sample } from "./cases/sample.js";
import type { Expression } from "./expression.js";
import { pullBack } from "./gradient.js";
import { evaluate } from "./interpreter.js";
import { tensor } from "./leaf.js";
import { Nd } from "./nd.js";
import { isFloat } from "./shape.js";

beforeAll(loadHostKernels);

type Values = Readonly<Record<string, Nd>>;
type Wave = (i: number) => number;

const tried = Object.entries(cases).flatMap(([name, all]): [string, Case][] => {
  const first = all.find(({ noGradient }) => !noGradient);
  return first ? [[name, first]] : [];
});

describe.each(tried)("%s", (_, each) => {
  it("differentiates twice", () => {
    const { inputs, feeds, outputs } = sample(each, "float32");
    const by = inputs.filter((x) => isFloat(x.dtype));
    const start = Object.fromEntries(
      Object.entries(feeds).map(([name, value]) => [name, Nd.fromTensor(value)]),
    );
    const once = pulled(
      outputs.filter((y) => isFloat(y.dtype)),
      by,
      (i) => Math.cos(i + 1),
      start,
    );
    const wave: Wave = (i) => Math.sin(i + 1);
    const twice = evaluate(pulled(once, by, wave, start), start);
    by.forEach((x, k) => {
      const value = start[x.name!]!;
      const along = (i: number, step: number): number => {
        const data = value.data.slice();
        data[i]! += step;
        const moved = evaluate(once, { ...start, [x.name!]: new Nd(value.dtype, value.shape, data) });
        return moved.reduce((sum, y) => sum + y.data.reduce((s, v, at) => s + v * wave(at), 0), 0);
      };
      const h = 1e-5;
      value.data.forEach((_, i) => {
        const numeric = (along(i, h) - along(i, -h)) / (2 * h);
        const ours = twice[k]!.data[i]!;
        expect(Math.abs(numeric - ours), `d/d${x.name}[${i}]: ${ours} against ${numeric}`).toBeLessThan(
          1e-4 * (1 + Math.abs(numeric)),
        );
      });
    });
  });
});

/** The gradients by `by` of `ys`, weighed element by element. */
function pulled(ys: readonly Expression[], by: readonly Expression[], wave: Wave, at: Values): Expression[] {
  const weights = evaluate(ys, at).map(({ shape, data }) =>
    tensor(
      data.map((_, i) => wave(i)),
      { shape },
    ),
  );
  return pullBack(
    ys.map((y, i) => [y, weights[i]!.cast(y.dtype)]),
    by,
  );
}
