// Random numbers: Philox's published vectors, the same bits in the interpreter and on both engines, and the moments of each distribution.
import { describe, expect, it } from "vitest";
import {
  bernoulli,
  choice,
  concat,
  evaluate,
  exponential,
  input,
  normal,
  permutation,
  program,
  randint,
  randomBits,
  randomKey,
  tensor,
  uniform,
  type Expression,
  type RandomKey,
} from "../graph/index.js";
import { philox } from "../graph/philox.js";
import { Tensor } from "../tensor/index.js";
import { loadProgram } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";
import { ortWebEngine } from "./ort-web.js";

/** Counter, key and result, from the known-answer tests of Random123. */
const VECTORS = [
  [
    [0, 0, 0, 0],
    [0, 0],
    [0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8],
  ],
  [
    [0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff],
    [0xffffffff, 0xffffffff],
    [0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd],
  ],
  [
    [0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344],
    [0xa4093822, 0x299f31d0],
    [0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1],
  ],
] as const;

const engines = [
  ["onnxruntime-node", ortNodeEngine],
  ["onnxruntime-web", ortWebEngine],
] as const;

/** What an engine gives, after checking that the interpreter gives the same bits. */
async function sameBits(
  start: (typeof engines)[number][1],
  y: Expression,
  feeds: Readonly<Record<string, Tensor>> = {},
): Promise<Tensor> {
  const session = await loadProgram(await start(), program({ outputs: { y } }));
  const actual = (await session.run(feeds)).y!;
  await session.release();
  expect(actual).toEqual(evaluate([y], feeds)[0]!.toTensor());
  return actual;
}

function words(...values: readonly number[]): Expression {
  return tensor(values, { dtype: "int64", shape: [values.length, 1] });
}

const DRAWS: readonly (readonly [string, (key: RandomKey) => Expression])[] = [
  ["randomBits", (key) => randomBits(key, [1003])],
  ["uniform float32", (key) => uniform(key, [1003])],
  ["uniform of a range", (key) => uniform(key, [1003], { low: -3, high: 0.1 })],
  ["uniform float64", (key) => uniform(key, [1003], { dtype: "float64", low: -3, high: 0.1 })],
  ["normal float32", (key) => normal(key, [1003])],
  ["normal float64", (key) => normal(key, [1003], { dtype: "float64", mean: 3, std: 0.1 })],
  ["exponential", (key) => exponential(key, [1003])],
  ["randint", (key) => randint(key, [1003], -7, 2 ** 40)],
  ["permutation", (key) => permutation(key, 1003)],
  ["weighted choice", (key) => choice(key, 3, [1003], { weights: [0.1, 0.7, 0.3] })],
  ["bernoulli", (key) => bernoulli(key, [1003], 0.3)],
];

describe.each(engines)("%s", (_, start) => {
  it.each(VECTORS)("gives Philox's published words for counter %j and key %j", async (c, k, wanted) => {
    for (const key of [k, words(...k)]) {
      const y = concat(philox(words(c[0], c[2]), words(c[1], c[3]), key));
      expect(Array.from((await sameBits(start, y)).data as BigInt64Array, Number)).toEqual([
        wanted[0],
        wanted[2],
        wanted[1],
        wanted[3],
      ]);
    }
  });

  it.each(DRAWS)("draws %s as the interpreter does, bit for bit", async (_, draw) => {
    const seed = input("seed", "int64", []);
    const step = input("step", "int64", []);
    const feeds = { seed: scalar(-5n), step: scalar(2n ** 40n + 3n) };
    const drawn = await sameBits(start, draw(randomKey(seed, step)), feeds);
    expect(drawn).toEqual(await sameBits(start, draw(randomKey(-5, 2 ** 40 + 3))));
  });
});

function scalar(value: bigint): Tensor {
  return new Tensor("int64", [], BigInt64Array.of(value));
}

describe("a key", () => {
  const drawn = (key: RandomKey): number[] => [...evaluate([randomBits(key, [8])])[0]!.data];

  it("gives other numbers for another seed, step or operation, and the same for the same", () => {
    const key = randomKey(1);
    const all = [
      drawn(key),
      drawn(key),
      drawn(randomKey(2)),
      drawn(randomKey(1, 1)),
      drawn(randomKey(2n ** 32n + 1n)),
    ];
    expect(new Set(all.flat()).size).toBe(40);
    expect(drawn(randomKey(1))).toEqual(all[0]);
  });

  it("draws as many as a symbol says", () => {
    for (const [shape, size] of [
      [["batch", 6], 30],
      [["batch"], 5],
    ] as const) {
      const x = input("x", "float32", shape);
      const given = new Tensor("float32", shape.length === 2 ? [5, 6] : [5], new Float32Array(size).fill(1));
      const y = x.dropout(0.5, randomKey(3));
      expect(evaluate([y], { x: given })[0]!.data).toHaveLength(size);
      expect(evaluate([normal(randomKey(3), shape).add(x)], { x: given })[0]!.data).toHaveLength(size);
    }
  });

  it("says what is wrong with a seed", () => {
    expect(() => randomKey(0.5)).toThrow("random: the seed is 0.5; it must be a whole number");
    expect(() => randomKey(input("seed", "float32", []))).toThrow(
      "random: the seed is float32 []; it must be int32 or int64 or uint8",
    );
  });
});

describe("distributions", () => {
  const SIZE = 40_000;
  const moments = (y: Expression): { mean: number; variance: number; values: Float64Array } => {
    const values = evaluate([y])[0]!.data;
    const mean = values.reduce((a, b) => a + b, 0) / values.length;
    return { mean, variance: values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length, values };
  };
  /** Four standard errors: a fixed seed passes or fails for good. */
  const near = (actual: number, wanted: number, deviation: number): void => {
    expect(Math.abs(actual - wanted)).toBeLessThan((4 * deviation) / Math.sqrt(SIZE));
  };

  it.each(["float32", "float64"] as const)(
    "normal has the moments and quantiles of the normal distribution in %s",
    (dtype) => {
      const { mean, variance, values } = moments(normal(randomKey(11), [SIZE], { dtype }));
      near(mean, 0, 1);
      near(variance, 1, Math.SQRT2);
      near(values.reduce((a, b) => a + b ** 3, 0) / SIZE, 0, Math.sqrt(15));
      near(values.reduce((a, b) => a + b ** 4, 0) / SIZE, 3, Math.sqrt(96));
      for (const [z, p] of [
        [-1.959963984540054, 0.025],
        [-0.6744897501960817, 0.25],
        [1, 0.8413447460685429],
      ] as const)
        near(values.filter((v) => v < z).length / SIZE, p, Math.sqrt(p * (1 - p)));
      // The two halves are sine and cosine of the same angles, and still independent.
      const half = SIZE / 2;
      near(values.subarray(0, half).reduce((a, b, i) => a + b * values[i + half]!, 0) / half, 0, Math.SQRT2);
    },
  );

  it("uniform fills its range evenly", () => {
    const { mean, variance, values } = moments(uniform(randomKey(12), [SIZE], { low: -1, high: 3 }));
    near(mean, 1, 4 / Math.sqrt(12));
    expect(variance).toBeCloseTo(16 / 12, 1);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...values)).toBeLessThan(3);
  });

  it("exponential has its mean and tail", () => {
    const { mean, values } = moments(exponential(randomKey(13), [SIZE], { rate: 2 }));
    near(mean, 0.5, 0.5);
    near(values.filter((v) => v > 1).length / SIZE, Math.exp(-2), 0.35);
  });

  it("randint gives every number as often", () => {
    const values = evaluate([randint(randomKey(14), [SIZE], -2, 5)])[0]!.data;
    for (let n = -2; n < 5; n++) near(values.filter((v) => v === n).length / SIZE, 1 / 7, 0.35);
  });

  it("permutation gives each number once, in an order that is none", () => {
    const values = evaluate([permutation(randomKey(16), 500)])[0]!.data;
    expect(values.toSorted()).toEqual(Float64Array.from({ length: 500 }, (_, i) => i));
    expect(values.filter((v, i) => v === i).length).toBeLessThan(8);
  });

  it("choice follows its weights, and without replacement takes nothing twice", () => {
    const values = evaluate([choice(randomKey(17), 3, [SIZE], { weights: [1, 0, 3] })])[0]!.data;
    near(values.filter((v) => v === 0).length / SIZE, 0.25, 0.44);
    expect(values.includes(1)).toBe(false);
    const taken = evaluate([choice(randomKey(18), 30, [5, 5], { replace: false })])[0]!.data;
    expect(new Set(taken).size).toBe(25);
    expect(() => choice(randomKey(1), 3, [4], { replace: false })).toThrow(
      "choice: [4] cannot be chosen from 3 without replacement; the shape is whole numbers with a product up to that",
    );
  });

  it("dropout keeps the mean, and drops at its rate", () => {
    for (const rate of [0.1, 0.001]) {
      const { mean, values } = moments(tensor(new Float32Array(SIZE).fill(1)).dropout(rate, randomKey(15)));
      near(mean, 1, Math.sqrt(rate / (1 - rate)));
      near(values.filter((v) => v === 0).length / SIZE, rate, Math.sqrt(rate));
    }
  });
});
