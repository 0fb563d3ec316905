// Losses and normalisations against their definitions in plain arithmetic, at extremes, and with targets that do not fit.
import { describe, expect, it } from "vitest";
import type { Expression } from "../expression.js";
import { gradients } from "../gradient.js";
import { evaluate } from "../interpreter.js";
import { input, tensor } from "../leaf.js";

const p = [0.9, -0.4, 2.5];
const t = [1, 0, -1];

function values(x: Expression): number[] {
  return [...evaluate([x])[0]!.data];
}

function double(list: readonly number[]): Expression {
  return tensor(Float64Array.from(list));
}

const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const mean = (list: readonly number[]): number => list.reduce((a, b) => a + b, 0) / list.length;

describe("losses by their definitions", () => {
  it.each<[string, Expression, (p: number, t: number) => number]>([
    ["squaredError", double(p).squaredError(t), (p, t) => (p - t) ** 2],
    ["absoluteError", double(p).absoluteError(t), (p, t) => Math.abs(p - t)],
    [
      "huber",
      double(p).huber(t, 0.3),
      (p, t) => (Math.abs(p - t) < 0.3 ? (p - t) ** 2 / 2 : 0.3 * (Math.abs(p - t) - 0.15)),
    ],
    [
      "smoothL1",
      double(p).smoothL1(t, 0.5),
      (p, t) => (Math.abs(p - t) < 0.5 ? (p - t) ** 2 : Math.abs(p - t) - 0.25),
    ],
    ["logCosh", double(p).logCosh(t), (p, t) => Math.log(Math.cosh(p - t))],
    ["quantileLoss", double(p).quantileLoss(t, 0.8), (p, t) => (t > p ? 0.8 * (t - p) : 0.2 * (p - t))],
    ["hinge", double(p).hinge(t), (p, t) => Math.max(0, 1 - p * t)],
    [
      "sigmoidCrossEntropy",
      double(p).sigmoidCrossEntropy(t),
      (p, t) => -t * Math.log(sigmoid(p)) - (1 - t) * Math.log(1 - sigmoid(p)),
    ],
    ["poissonLoss of logarithms", double(p).poissonLoss(t, true), (p, t) => Math.exp(p) - t * p],
    [
      "gaussianLoss",
      double(p).gaussianLoss(t, double([2, 2, 2])),
      (p, t) => (Math.log(2) + (p - t) ** 2 / 2) / 2,
    ],
  ])("%s", (_, loss, definition) => {
    values(loss).forEach((value, i) => {
      expect(value).toBeCloseTo(definition(p[i]!, t[i]!), 10);
    });
  });

  it("means", () => {
    const squares = p.map((x, i) => (x - t[i]!) ** 2);
    expect(values(double(p).mse(t))[0]).toBeCloseTo(mean(squares), 12);
    expect(values(double(p).rmse(t))[0]).toBeCloseTo(Math.sqrt(mean(squares)), 12);
    expect(values(double([1, 3]).msle([0, 1]))[0]).toBeCloseTo(
      mean([Math.log(2) ** 2, Math.log(2) ** 2]),
      12,
    );
    expect(values(double([1, 3]).mae(2))[0]).toBe(1);
  });

  it("classes: integers, one-hot and smoothing agree; probabilities agree with logits", () => {
    const logits = tensor(Float64Array.of(1, 2, 3, 0, -1, 4), { shape: [2, 3] });
    const classes = tensor([2, 0], { dtype: "int64" });
    const hot = tensor(Float64Array.of(0, 0, 1, 1, 0, 0), { shape: [2, 3] });
    const by = values(logits.softmaxCrossEntropy(classes));
    expect(by[0]).toBeCloseTo(Math.log(Math.exp(-2) + Math.exp(-1) + 1), 12);
    for (const other of [
      logits.softmaxCrossEntropy(hot),
      logits.softmax().crossEntropy(classes),
      logits.logSoftmax().negativeLogLikelihood(hot),
    ])
      values(other).forEach((value, i) => {
        expect(value).toBeCloseTo(by[i]!, 10);
      });
    const smooth = hot.mul(0.9).add(0.1 / 3);
    expect(values(logits.softmaxCrossEntropy(classes, { smoothing: 0.1 }))).toEqual(
      values(logits.softmaxCrossEntropy(smooth)),
    );
    expect(values(logits.categoricalHinge(classes))).toEqual([0, 5]);
  });

  it("are finite, with finite gradients, where a probability is 0 or a score is far out", () => {
    const x = input("x", "float64", [2]);
    const sure = tensor([0, 1]);
    const far = tensor(Float64Array.of(-800, 800));
    for (const [loss, at] of [
      [x.binaryCrossEntropy(sure.neg().add(1)), sure],
      [x.klDivergence(sure), sure],
      [x.poissonLoss([1, 0]), sure],
      [x.sigmoidCrossEntropy([1, 0]), far],
      [x.focalLoss([1, 0]), far],
      [x.logCosh([0, 0]), far],
      [x.softmaxCrossEntropy([1, 0]), far],
    ] as const) {
      const total = loss.sum();
      const feeds = { x: evaluate([at.cast("float64")])[0]! };
      for (const result of evaluate([total, ...gradients(total, [x])], feeds))
        for (const value of result.data) expect(Number.isFinite(value), String(loss)).toBe(true);
    }
  });

  it("say what does not fit", () => {
    const column = input("p", "float32", ["batch", 1]);
    expect(() => column.mse(input("t", "float32", ["batch"]))).toThrow(
      "meanSquaredError: the prediction is float32 [batch,1], the target float32 [batch]; they must have the same shape",
    );
    expect(() => tensor([[1, 2]]).softmaxCrossEntropy(tensor([[1], [0]], { dtype: "int64" }))).toThrow(
      "give integer classes of shape [1] or probabilities of shape [1,2]",
    );
    expect(() => input("x", "float32", ["b", "c"]).crossEntropy([0])).toThrow("known number of classes");
  });
});

describe("normalisations", () => {
  const data = Array.from({ length: 24 }, (_, i) => Math.sin(i * 2.1) * 3 + i / 5);
  const x = tensor(Float64Array.from(data), { shape: [2, 4, 3] });
  const spread = (list: readonly number[]): number => mean(list.map((v) => (v - mean(list)) ** 2));
  const runs = (list: readonly number[], size: number): number[][] =>
    Array.from({ length: list.length / size }, (_, i) => list.slice(i * size, (i + 1) * size));
  const epsilon = 0;

  it.each<[string, Expression, number]>([
    ["layerNorm", x.layerNorm({ epsilon }), 3],
    ["layerNorm over two axes", x.layerNorm({ axis: 1, epsilon }), 12],
    ["instanceNorm", x.instanceNorm({ epsilon }), 3],
    ["groupNorm", x.groupNorm(2, { epsilon }), 6],
    ["batchNorm", x.batchNorm({ epsilon }).transpose([1, 0, 2]), 6],
  ])("%s brings each part to mean 0 and variance 1", (_, y, size) => {
    for (const run of runs(values(y), size)) {
      expect(mean(run)).toBeCloseTo(0, 10);
      expect(spread(run)).toBeCloseTo(1, 10);
    }
  });

  it("are the same by the operator, in float32, as composed, in float64", () => {
    const [scale, bias] = [double([1, -2, 3]), double([0.5, 0, -1])];
    const [wide, low] = [double([1, -2, 3, 4]), double([0.5, 0, -1, 2])];
    const single = (e: Expression): Expression => e.cast("float32");
    for (const [a, b] of [
      [x.layerNorm({ scale, bias }), single(x).layerNorm({ scale: single(scale), bias: single(bias) })],
      [
        x.instanceNorm({ scale: wide, bias: low }),
        single(x).instanceNorm({ scale: single(wide), bias: single(low) }),
      ],
    ] as const)
      values(b).forEach((value, i) => {
        expect(value).toBeCloseTo(values(a)[i]!, 10);
      });
  });

  it("of a batch equal those by its own moments", () => {
    const [m, v] = x.channelMoments();
    const four = double([1, 1, 1, 1]);
    const inferred = values(x.batchNormInference(four, double([0, 0, 0, 0]), m, v));
    values(x.batchNorm()).forEach((value, i) => {
      expect(value).toBeCloseTo(inferred[i]!, 10);
    });
  });

  it("rmsNorm and l2Normalize bring each row to its length", () => {
    for (const run of runs(values(x.rmsNorm({ epsilon })), 3))
      expect(mean(run.map((value) => value * value))).toBeCloseTo(1, 10);
    for (const run of runs(values(x.l2Normalize()), 3)) expect(Math.hypot(...run)).toBeCloseTo(1, 10);
    expect(values(tensor([0, 0]).l2Normalize())).toEqual([0, 0]);
  });

  it("say what does not fit", () => {
    expect(() => x.layerNorm({ scale: double([1, 2]) })).toThrow();
    expect(() => x.cast("float32").layerNorm({ scale: tensor([1, 2]) })).toThrow(
      "layerNorm: the scale is float32 [2]; for float32 [2,4,3] from axis 2 on it must be [3]",
    );
    expect(() => x.groupNorm(3)).toThrow("groupNorm: 3 groups of the 4 channels");
    expect(() => tensor([1, 2]).instanceNorm()).toThrow("it must be [batch, channels, ...]");
  });
});
