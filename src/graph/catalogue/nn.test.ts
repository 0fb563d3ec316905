// Activations: what stands in for the operator in float64 is the operator; published values.
import { describe, expect, it } from "vitest";
import { cases } from "../cases/index.js";
import { sample } from "../cases/sample.js";
import { evaluate } from "../interpreter.js";
import { tensor } from "../leaf.js";
import { Nd } from "../nd.js";

const replaced = [
  "leakyRelu",
  "elu",
  "selu",
  "celu",
  "softplus",
  "softsign",
  "hardSigmoid",
  "hardSwish",
  "thresholdedRelu",
  "mish",
  "gelu",
  "prelu",
  "silu",
];

describe.each(replaced)("%s", (name) => {
  it("is the same in float64, where it is composed, as by the operator", () => {
    for (const each of cases[name]!) {
      const single = sample(each, "float32");
      const double = sample(each, "float64");
      const values = evaluate(single.outputs, single.feeds)[0]!.data;
      const feeds = Object.fromEntries(
        Object.entries(single.feeds).map(([key, value]) => {
          const { shape, data } = Nd.fromTensor(value);
          return [key, new Nd("float64", shape, data)];
        }),
      );
      evaluate(double.outputs, feeds)[0]!.data.forEach((value, i) => {
        expect(value).toBeCloseTo(values[i]!, 12);
      });
    }
  });
});

describe("activations", () => {
  // From the definitions, worked out apart in Python, at x = -1.5 and 0.7.
  it.each([
    ["elu", [-0.77687, 0.7]],
    ["selu", [-1.365814, 0.735491]],
    ["silu", [-0.273638, 0.467731]],
    ["mish", [-0.2981, 0.561148]],
    ["hardSwish", [-0.375, 0.431667]],
    ["softplus", [0.201413, 1.103186]],
    ["logSigmoid", [-1.701413, -0.403186]],
  ] as const)("%s gives the values that are known of it", (name, expected) => {
    const [y] = evaluate([tensor([-1.5, 0.7])[name]()]);
    expected.forEach((value, i) => {
      expect(y!.data[i]).toBeCloseTo(value, 5);
    });
  });

  it("does not overflow", () => {
    const far = tensor(Float64Array.of(-1e4, 1e4));
    for (const y of [
      far.softplus(),
      far.logSigmoid(),
      far.mish(),
      far.silu(),
      far.gelu(),
      far.elu(),
      far.selu(),
    ])
      for (const value of evaluate([y])[0]!.data) expect(Number.isFinite(value)).toBe(true);
  });

  it("refuses an odd axis and a slope that does not fit, and says why", () => {
    expect(() => tensor([1, 2, 3]).glu()).toThrow("glu: axis 0 of float32 [3] has length 3");
    expect(() => tensor([1, 2, 3]).prelu(tensor([[1], [2]]))).toThrow("does not broadcast to float32 [3]");
  });
});
