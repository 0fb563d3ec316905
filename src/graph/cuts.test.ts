// Every way to cut every row: the pieces, run apart and joined, are the whole.
import { describe, expect, it } from "vitest";
import { catalogue } from "./catalogue/index.js";
import type { Case } from "./cases/case.js";
import { cases } from "./cases/index.js";
import { sample, type Sample } from "./cases/sample.js";
import { GraphError } from "./error.js";
import { evaluate } from "./interpreter.js";
import { dotProduct, eachIndex, Nd, stridesOf } from "./nd.js";
import type { Attrs, Cut, TensorRow } from "./row.js";
import { topological } from "./walk.js";

const rows = catalogue.flatMap(({ row }) => (row.kind === "tensor" && row.cuts ? row : []));

describe("cuts", () => {
  it.each(rows.map((row) => [row.name, row] as const))("of %s", (name, row) => {
    let tried = 0;
    for (const each of cases[name] ?? []) {
      const { outputs, feeds } = build(each);
      for (const node of topological(outputs)) {
        if (node.row !== row) continue;
        const inputs = evaluate(node.inputs, feeds);
        const whole = run(row, inputs, node.attrs);
        for (const cut of row.cuts!({ inputs, outputs: whole, attrs: node.attrs })) {
          const joined = byPieces(row, inputs, node.attrs, cut);
          if (!joined) continue;
          const what = `${name} ${JSON.stringify(cut)}`;
          joined.forEach(({ shape, data }, k) => {
            expect(shape, what).toEqual(whole[k]!.shape);
            data.forEach((value, i) => {
              expect(value, what).toBeCloseTo(whole[k]!.data[i]!, 9);
            });
          });
          tried++;
        }
      }
    }
    expect(tried).toBeGreaterThan(0);
  });
});

/** The case in the first dtype that the row takes. */
function build(each: Case): Sample {
  try {
    return sample(each, "float32");
  } catch (error) {
    if (error instanceof GraphError) return sample(each, "int32");
    throw error;
  }
}

/** The results from two pieces, or nothing where the axis is too short for two. */
function byPieces(row: TensorRow, inputs: readonly Nd[], attrs: Attrs, cut: Cut): readonly Nd[] | undefined {
  const axes = inputs.map((_, i) => cut.inputs[i] ?? null);
  const lengths = new Set(inputs.flatMap((x, i) => (typeof axes[i] === "number" ? x.shape[axes[i]]! : [])));
  expect([...lengths], `${row.name}: what is cut together is equally long`).toHaveLength(1);
  const [length] = [...lengths] as [number];
  if (length < 2) return undefined;
  const middle = Math.ceil(length / 3);
  const piece = (from: number, to: number): readonly Nd[] =>
    run(
      row,
      inputs.map((x, i) => (typeof axes[i] === "number" ? part(x, axes[i], from, to) : x)),
      cut.attrs?.(to - from) ?? attrs,
    );
  const rest = piece(middle, length);
  return piece(0, middle).map((first, k) => join(first, rest[k]!, cut.join));
}

function run(row: TensorRow, inputs: readonly Nd[], attrs: Attrs): readonly Nd[] {
  return row.evaluate(inputs, attrs, { inputs, outputs: row.infer(inputs, attrs), attrs });
}

function part(x: Nd, axis: number, from: number, to: number): Nd {
  const y = Nd.zeros(x.dtype, x.shape.with(axis, to - from));
  const strides = stridesOf(x.shape);
  eachIndex(y.shape, (index, flat) => {
    y.data[flat] = x.data[dotProduct(index, strides) + from * strides[axis]!]!;
  });
  return y;
}

const JOIN = {
  add: (a: number, b: number) => a + b,
  mul: (a: number, b: number) => a * b,
  max: Math.max,
  min: Math.min,
} as const;

function join(a: Nd, b: Nd, how: Cut["join"]): Nd {
  if (typeof how === "string")
    return new Nd(
      a.dtype,
      a.shape,
      a.data.map((value, i) => JOIN[how](value, b.data[i]!)),
    );
  const axis = how.concat;
  const middle = a.shape[axis]!;
  const y = Nd.zeros(a.dtype, a.shape.with(axis, middle + b.shape[axis]!));
  const strides = stridesOf(y.shape);
  const put = (x: Nd, from: number): void => {
    eachIndex(x.shape, (index, flat) => {
      y.data[dotProduct(index, strides) + from * strides[axis]!] = x.data[flat]!;
    });
  };
  put(a, 0);
  put(b, middle);
  return y;
}
