// What the table's own tests do not see of convolutions: both ways to the weights, open lengths, and errors as users read them.
import { describe, expect, it } from "vitest";
import { evaluate, gradients, input, tensor, type Expression } from "../index.js";
import { byLayout, bySliding } from "./conv-weights.js";

const waves = (shape: readonly number[], k: number): number[] =>
  Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => Math.sin(i * k));

describe("conv", () => {
  it.each([
    {
      x: [2, 3, 5, 6],
      w: [4, 3, 3, 2],
      attrs: { strides: [1, 1], dilations: [1, 1], pads: [0, 1, 2, 0], group: 1 },
    },
    {
      x: [2, 4, 7, 8],
      w: [6, 2, 3, 2],
      attrs: { strides: [2, 3], dilations: [2, 1], pads: [1, 0, 0, 1], group: 2 },
    },
    { x: [3, 2, 9], w: [2, 1, 2], attrs: { strides: [2], dilations: [3], pads: [0, 0], group: 2 } },
  ])("reaches the weights the same by layout and by sliding: $w under $attrs", ({ x, w, attrs }) => {
    const a = tensor(waves(x, 1.1)).reshape(x);
    const b = tensor(waves(w, 0.7)).reshape(w);
    const axes = attrs.strides.length;
    const y = a.conv(b, {
      stride: attrs.strides,
      dilation: attrs.dilations,
      groups: attrs.group,
      padding: attrs.strides.map((_, i) => [attrs.pads[i]!, attrs.pads[i + axes]!] as const),
    });
    const g = tensor(waves(y.shape as number[], 0.3)).reshape(y.shape as number[]);
    const [one, other] = evaluate([byLayout(a, g, w, attrs), bySliding(a, g, w, attrs)]);
    expect(one!.shape).toEqual(w);
    expect(other!.shape).toEqual(w);
    other!.data.forEach((value, i) => {
      expect(value).toBeCloseTo(one!.data[i]!, 10);
    });
  });

  it("takes an open batch, and an open length under stride 1", () => {
    const x = input("x", "float32", ["batch", 2, "time"]);
    const w = input("w", "float32", [3, 2, 5]);
    const y = x.conv(w, { padding: "same" });
    expect(y.shape).toEqual(["batch", 3, "time"]);
    expect(x.conv(w).shape).toEqual(["batch", 3, "time-4"]);
    expect(gradients(y.sum(), [x, w]).map((g) => g.shape)).toEqual([
      ["batch", 2, "time"],
      [3, 2, 5],
    ]);
  });

  it("says what would fit", () => {
    const x = input("x", "float32", ["batch", 3, 28, "width"]);
    expect(() => x.conv(input("w", "float32", [8, 4, 3, 3]))).toThrow(
      "conv: float32 [batch,3,28,width] has 3 channels, weights float32 [8,4,3,3] in 1 groups want 4",
    );
    expect(() => x.conv(input("w", "float32", [8, 3, 3, 3]), { stride: 2 })).toThrow(
      "axis 1 of space is width, and steps of 2 over it come out differently for different lengths; give it a fixed length",
    );
    expect(() => x.conv(input("w", "float32", [8, 3, 30, 3]))).toThrow(
      "a window of 30 is longer than axis 0 of space, which has 28 with its padding",
    );
    expect(() => x.maxPool(2, { padding: [1] })).toThrow("or 2 of them (or pairs [before, after])");
    expect(() => x.maxPool(2, { padding: 2 })).toThrow("would leave windows of [2,2] that see nothing else");
  });
});

describe("resize", () => {
  it("is PyTorch's interpolate", () => {
    const row = (...values: number[]) => tensor(values).reshape([1, 1, -1]);
    const numbers = (x: Expression): number[] => [...evaluate([x])[0]!.data];
    expect(numbers(row(0, 1, 2, 3, 4).resize(3))).toEqual([0, 1, 3]);
    expect(numbers(row(1, 2).resize(4))).toEqual([1, 1, 2, 2]);
    expect(numbers(row(1, 2, 3, 4).resize(8, { mode: "linear" }))).toEqual([
      1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4,
    ]);
    expect(numbers(row(1, 2, 3).resize(5, { mode: "linear", alignCorners: true }))).toEqual([
      1, 1.5, 2, 2.5, 3,
    ]);
  });
});
