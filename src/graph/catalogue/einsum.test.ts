// Products against their definitions: loops over every index, and values as NumPy gives them.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { einsum, evaluate, input, tensor, type Expression, type Nd } from "../index.js";
import { eachIndex } from "../nd.js";

const value = (x: Expression): Nd => evaluate([x])[0]!;
const numbers = (x: Expression): number[] => [...value(x).data];
const counting = (...shape: number[]): Expression =>
  tensor(Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_, i) => i)).reshape(shape);

/** The sum over all letters, term by term. */
function byLoops(
  specs: readonly string[],
  out: string,
  lengths: Record<string, number>,
  xs: readonly Nd[],
): number[] {
  const letters = Object.keys(lengths);
  const at = (spec: string, index: readonly number[]): number =>
    [...spec].reduce((flat, letter) => flat * lengths[letter]! + index[letters.indexOf(letter)]!, 0);
  const result = new Array<number>([...out].reduce((n, letter) => n * lengths[letter]!, 1)).fill(0);
  eachIndex(Object.values(lengths), (index) => {
    result[at(out, index)]! += specs.reduce((product, spec, i) => product * xs[i]!.data[at(spec, index)]!, 1);
  });
  return result;
}

describe("einsum", () => {
  it("is the sum over all indices, whatever the letters", () => {
    const letters = ["a", "b", "c", "d"];
    const spec = fc.array(fc.constantFrom(...letters), { maxLength: 3 }).map((own) => own.join(""));
    fc.assert(
      fc.property(
        fc.array(spec, { minLength: 1, maxLength: 3 }),
        fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 4, maxLength: 4 }),
        fc.subarray(letters),
        fc.boolean(),
        (specs, sizes, kept, backwards) => {
          const used = letters.filter((letter) => specs.some((own) => own.includes(letter)));
          const lengths = Object.fromEntries(used.map((letter) => [letter, sizes[letters.indexOf(letter)]!]));
          const own = kept.filter((letter) => used.includes(letter));
          const out = (backwards ? own.toReversed() : own).join("");
          const xs = specs.map((each) => counting(...[...each].map((letter) => lengths[letter]!)).sub(3));
          const y = value(einsum(`${specs.join(",")}->${out}`, ...xs));
          expect(y.shape).toEqual([...out].map((letter) => lengths[letter]));
          expect([...y.data].map((v) => v + 0)).toEqual(
            byLoops(specs, out, lengths, xs.map(value)).map((v) => v + 0),
          );
        },
      ),
      { numRuns: Number(process.env.FC_RUNS ?? 150) },
    );
  });

  it("takes open lengths", () => {
    const q = input("q", "float32", ["batch", "time", 8]);
    const k = input("k", "float32", ["batch", "past", 8]);
    expect(einsum("bqd,bkd->bqk", q, k).shape).toEqual(["batch", "time", "past"]);
  });

  it("says what is wrong", () => {
    const x = input("x", "float32", [2, 3]);
    expect(() => einsum("ij,jk->ik", x)).toThrow('einsum "ij,jk->ik": it names 2 operands, and 1 were given');
    expect(() => einsum("ijk->i", x)).toThrow('"ijk" does not name the 2 axes of float32 [2,3]');
    expect(() => einsum("ij,ij->i", x, counting(2, 4))).toThrow('"j" is 4 in float32 [2,4] and 3 elsewhere');
    expect(() => einsum("ij->k", x)).toThrow('the result has "k", which no operand has');
    expect(() => einsum("i1->i", x)).toThrow("write letters");
  });
});

describe("products", () => {
  const a = counting(2, 3);
  const b = counting(3, 2);
  it("are NumPy's", () => {
    expect(numbers(a.dot(b))).toEqual([10, 13, 28, 40]);
    expect(numbers(counting(3).dot(b))).toEqual([10, 13]);
    expect(numbers(a.inner(counting(2, 3)))).toEqual([5, 14, 14, 50]);
    expect(numbers(counting(2).outer([1, 2, 3]))).toEqual([0, 0, 0, 1, 2, 3]);
    expect(numbers(a.vdot(b))).toEqual([55]);
    expect(numbers(tensor([1, 2]).kron([[1, 10]]))).toEqual([1, 10, 2, 20]);
    expect(numbers(counting(2, 2).kron([[1, 2]]))).toEqual([0, 0, 1, 2, 2, 4, 3, 6]);
    expect(numbers(a.tensordot(b, 1))).toEqual([10, 13, 28, 40]);
    expect(numbers(a.tensordot(b, [[0], [1]]))).toEqual([3, 9, 15, 4, 14, 24, 5, 19, 33]);
    expect(numbers(counting(3, 3).trace())).toEqual([12]);
    expect(numbers(counting(3, 3).trace({ offset: -1 }))).toEqual([10]);
    expect(
      numbers(
        tensor([
          [1, 1],
          [1, 0],
        ]).matrixPower(10),
      ),
    ).toEqual([89, 55, 55, 34]);
    expect(() => a.tensordot(b, [[0], [0]])).toThrow(
      "axes [0] of float32 [2,3] and [0] of float32 [3,2] do not pair up",
    );
  });
});
