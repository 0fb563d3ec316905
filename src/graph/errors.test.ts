// Mistakes, and what their makers read: the operator, what it got, and what would fit.
import { describe, expect, it } from "vitest";
import {
  concat,
  einsum,
  gradients,
  GraphError,
  input,
  load,
  program,
  tensor,
  type Expression,
} from "./index.js";
import { plan } from "./planning.js";
import { toTensor, type DType } from "../tensor/index.js";

const x = (...shape: (number | string)[]): Expression => input("x", "float32", shape);
const w = (...shape: (number | string)[]): Expression => input("w", "float32", shape);
const doubled = program({ outputs: { y: x("n", 3).mul(2) } });

const MISTAKES: readonly (readonly [() => unknown, string, GraphError["code"]?])[] = [
  [
    () => x(3, 4).add(x(5)),
    "add: shapes [3,4] and [5] do not broadcast: 4 and 5 meet; counted from the right, dimensions must be equal or 1",
  ],
  [
    () => x("batch", 784).matmul(w(256, 10)),
    "matmul: float32 [batch,784] and float32 [256,10] do not fit: the last dimension of the first is 784, the second wants 256; shapes are [..., m, k] and [..., k, n]",
  ],
  [() => x().matmul(w(3)), "matmul: float32 [] and float32 [3]: a scalar is no matrix; use mul"],
  [
    () => x(3, 4).reshape([5, -1]),
    "reshape: float32 [3,4] has 12 elements and does not become [5,-1]: 12 is no multiple of 5",
  ],
  [() => x(3, 4).sum(2), "sum: axis 2 is outside a tensor of rank 2; use -2 to 1"],
  [() => x(3, 4).squeeze(0), "squeeze: axis 0 of float32 [3,4] has length 3, not 1"],
  [
    () => x(3, 4).transpose([0, 0]),
    "transpose: axes [0,0] do not name each of the 2 axes of float32 [3,4] once",
  ],
  [() => concat([x(3, 4), x(3, 5)], 0), "concat: float32 [3,4] and float32 [3,5] differ outside axis 0"],
  [() => x(3, 4).at(7), "at: index 7 is outside axis 0 of float32 [3,4]"],
  [() => x(3, 4).take(x(2)), "take: the index is float32 [2]; it must be int64 or int32 or uint8"],
  [() => x(3).where(x(3), x(3)), "where: the condition is float32 [3]; it must be bool"],
  [
    () => x(3).bitwiseAnd(x(3)),
    "bitwiseAnd: the operands are float32; only int32, int64 and uint8 have bits to speak of",
  ],
  [
    () => einsum("ij,jk->ik", x(3, 4), w(5, 6)),
    'einsum "ij,jk->ik": "j" is 5 in float32 [5,6] and 4 elsewhere',
  ],
  [
    () => x(1, 3, 8, 8).conv(w(4, 2, 3, 3)),
    "conv: float32 [1,3,8,8] has 3 channels, weights float32 [4,2,3,3] in 1 groups want 2; shapes are [batch, in, ...space] and [out, in/groups, ...window]",
  ],
  [
    () =>
      x(1, 1, 8, 8)
        .cast("float64")
        .conv(w(1, 1, 3, 3)),
    'conv: no engine computes it in float64; cast to float32 first, as in x.cast("float32")',
    "unsupported",
  ],
  [() => x(3, 4).inv(), "inv: float32 [3,4] is not square: its last two dimensions are 3 and 4"],
  [
    () => x("batch", 10).softmaxCrossEntropy(x("n")),
    "softmaxCrossEntropy: logits float32 [batch,10] do not fit labels float32 [n]; give integer classes of shape [batch] or probabilities of shape [batch,10]",
  ],
  [
    () => x(3, 4).meanSquaredError(x(3)),
    "meanSquaredError: the prediction is float32 [3,4], the target float32 [3]; they must have the same shape: reshape() or broadcastTo() one of them",
  ],
  [
    () => x(2, 3, 8).multiHeadAttention(x(2, 3, 8), x(2, 3, 8), 3),
    "multiHeadAttention: float32 [2,3,8] does not divide into 3 heads; its last dimension must be a multiple",
  ],
  [() => tensor([1, 2, 3], { shape: [2, 2] }), "tensor: shape [2,2] has 4 elements, data has 3"],
  [() => tensor([[1, 2], [3]]), "tensor: the lists are ragged: one part has shape [2], another [1]"],
  [
    () => input("x", "float32", [-1]),
    'input x: shape [-1] holds -1; a dimension is a whole number from 0 or a name such as "batch"',
  ],
  [
    () => input("x", "float31" as DType, [2]),
    'input x: there is no dtype "float31"; it is one of float32, uint8, int32, int64, bool, float16, float64',
  ],
  [
    () => gradients(x(3).exp(), [x(3)]),
    "gradients: the loss is float32 [3]; it must have one element: take its mean() or sum() first",
  ],
  [
    () => {
      const given = x(9);
      return gradients(given.unique().sum(), [given]);
    },
    "gradients: uniqueAll of float32 [9] has no gradient, and the loss depends on it; use stopGradient() on its result, or do not differentiate by what it is made of",
  ],
  [
    () => program({ inputs: { y: x(3).exp() }, outputs: { y: x(3) } }),
    "program: inputs.y is exp float32 [3], which is computed; an input is made by input() or tensor()",
  ],
  [
    () => program({ outputs: { y: x(3).add(x(3)) } }),
    'program: two inputs are called "x"; name them apart in inputs: { ... }',
  ],
  [() => doubled.feeds({}), 'the program\'s input "x" has no value; it wants float32 [n,3]'],
  [() => doubled.feeds({ z: toTensor([1]) }), 'the program has no input "z"; it has x'],
  [() => doubled.feeds({ x: toTensor([1, 2]) }), 'the input "x" wants float32 [n,3], got float32 [2]'],
  [
    () => doubled.feeds({ x: toTensor(Float64Array.of(1, 2, 3), { shape: [1, 3] }) }),
    'the input "x" wants float32 [n,3], got float64 [1,3]',
  ],
  [
    () => plan(doubled, { nodes: [], bandwidth: 1e8, roundTrip: 1e-3 }),
    "plan: capacity.nodes is empty; a plan needs a node to run on",
  ],
  [
    () => load(Uint8Array.of(1, 2, 3)),
    "3 bytes are not an ONNX model: illegal tag: field no 0 wire type 1",
    "bad_model",
  ],
];

describe("a mistake is told where it is made", () => {
  it.each(MISTAKES.map(([make, message, code]) => [message, make, code ?? "bad_argument"] as const))(
    "%s",
    (message, make, code) => {
      let error: unknown;
      try {
        make();
      } catch (thrown) {
        error = thrown;
      }
      expect(error).toBeInstanceOf(GraphError);
      expect(error).toMatchObject({ message, code });
    },
  );
});
