// Every row: it has cases, is a method where it says so, and its gradient agrees with finite differences in float64.
import { beforeAll, describe, expect, it } from "vitest";
import { loadHostKernels } from "./catalogue/host.js";
import { catalogue } from "./catalogue/index.js";
import { cases } from "./cases/index.js";
import { sample } from "./cases/sample.js";
import { Expression } from "./expression.js";
import { pullBack } from "./gradient.js";
import { evaluate, type Feeds } from "./interpreter.js";
import { tensor } from "./leaf.js";
import { Nd } from "./nd.js";
import { isFloat } from "./shape.js";

beforeAll(loadHostKernels);

describe.each(catalogue.map((entry) => [entry.row.name, entry] as const))(
  "%s",
  (name, { row, names, method }) => {
    it("has a case, a sentence, and its methods", () => {
      expect(cases[name]?.length ?? 0, `add cases for ${name} to src/graph/cases/`).toBeGreaterThan(0);
      expect(row.doc).toMatch(/[.]$/);
      for (const each of names) expect(each in Expression.prototype).toBe(method);
    });

    for (const each of cases[name] ?? []) {
      if (each.noGradient) continue;
      const { inputs, feeds, outputs } = sample(each, "float32");
      const by = inputs.filter((x) => isFloat(x.dtype));
      const floats = outputs.filter((y) => isFloat(y.dtype));
      if (by.length === 0 || floats.length === 0) continue;
      it(`differentiates as finite differences do: ${each.inputs.join(" and ")}`, () => {
        const start: Feeds = Object.fromEntries(
          Object.entries(feeds).map(([key, value]) => [key, Nd.fromTensor(value)]),
        );
        const weights = evaluate(floats, start).map(({ shape, data }) =>
          tensor(
            data.map((_, i) => Math.cos(i + 1)),
            { shape },
          ),
        );
        const total = (at: Feeds): number =>
          evaluate(floats, at).reduce(
            (sum, y) => sum + y.data.reduce((s, v, i) => s + v * Math.cos(i + 1), 0),
            0,
          );
        const grads = evaluate(
          pullBack(
            floats.map((y, i) => [y, weights[i]!.cast(y.dtype)]),
            by,
          ),
          start,
        );
        by.forEach((x, k) => {
          const value = start[x.name!] as Nd;
          expect(grads[k]!.shape).toEqual(value.shape);
          value.data.forEach((_, i) => {
            const h = 1e-5;
            const [up, down] = [h, -h].map((step) => {
              const moved = value.data.slice();
              moved[i]! += step;
              return total({ ...start, [x.name!]: new Nd(value.dtype, value.shape, moved) });
            }) as [number, number];
            const numeric = (up - down) / (2 * h);
            expect(
              Math.abs(numeric - grads[k]!.data[i]!),
              `d/d${x.name}[${i}]: ${grads[k]!.data[i]} against ${numeric}`,
            ).toBeLessThan(1e-5 * (1 + Math.abs(numeric)));
          });
        });
      });
    }
  },
);
