// The two models of the figures: their sizes, their first weights and batches, and their SGD steps by gradients().
import { gradients, input, program, tensor, type Expression, type Program } from "../../src/graph/index.js";
import { Tensor, toTensor } from "../../src/tensor/index.js";

export const RATE = 0.05;

export type Values = Readonly<Record<string, Tensor>>;

/** A model: what both writings of its step, and PyTorch's, agree on. */
export interface Model {
  readonly name: "mlp" | "cnn";
  readonly batch: number;
  readonly input: readonly number[];
  readonly classes: number;
  /** Weights and biases in order, by name. */
  readonly shapes: Readonly<Record<string, readonly number[]>>;
  logits(x: Expression, p: Readonly<Record<string, Expression>>): Expression;
}

export const mlp: Model = {
  name: "mlp",
  batch: 64,
  input: [784],
  classes: 10,
  shapes: { w1: [784, 256], b1: [256], w2: [256, 128], b2: [128], w3: [128, 10], b3: [10] },
  logits: (x, { w1, b1, w2, b2, w3, b3 }) =>
    x.matmul(w1!).add(b1!).relu().matmul(w2!).add(b2!).relu().matmul(w3!).add(b3!),
};

export const cnn: Model = {
  name: "cnn",
  batch: 32,
  input: [1, 28, 28],
  classes: 10,
  shapes: { w1: [16, 1, 3, 3], b1: [16], w2: [32, 16, 3, 3], b2: [32], w3: [1568, 10], b3: [10] },
  logits: (x, { w1, b1, w2, b2, w3, b3 }) =>
    x
      .conv(w1!, { bias: b1!, padding: 1 })
      .relu()
      .maxPool(2)
      .conv(w2!, { bias: b2!, padding: 1 })
      .relu()
      .maxPool(2)
      .reshape([-1, 1568])
      .matmul(w3!)
      .add(b3!),
};

/** The same values wherever they are asked for; PyTorch gets them as bytes. */
export function parameters({ shapes }: Model): Values {
  return Object.fromEntries(
    Object.entries(shapes).map(([name, shape], k) => {
      const size = shape.reduce((a, b) => a * b, 1);
      const fan = shape.length === 2 ? shape[0]! : shape.slice(1).reduce((a, b) => a * b, 1);
      const scale = shape.length === 1 ? 0 : Math.sqrt(2 / fan) * Math.SQRT2;
      const data = Float32Array.from({ length: size }, (_, i) => scale * Math.sin(i * i * 0.7 + i * 1.3 + k));
      return [name, toTensor(data, { shape })];
    }),
  );
}

export function batchOf({ batch, input: shape, classes }: Model): { x: Tensor; y: Tensor } {
  const size = shape.reduce((a, b) => a * b, batch);
  return {
    x: toTensor(
      Float32Array.from({ length: size }, (_, i) => Math.abs(Math.sin(i * i * 0.3 + i))),
      { shape: [batch, ...shape] },
    ),
    y: new Tensor(
      "int64",
      [batch],
      BigInt64Array.from({ length: batch }, (_, i) => BigInt((i * 7) % classes)),
    ),
  };
}

interface Wired {
  readonly x: Expression;
  readonly y: Expression;
  readonly p: Readonly<Record<string, Expression>>;
  readonly loss: Expression;
}

function wire(model: Model, length: number | string): Wired {
  const x = input("x", "float32", [length, ...model.input]);
  const y = input("y", "int64", [length]);
  const p = Object.fromEntries(
    Object.entries(parameters(model)).map(([name, value]) => [name, tensor(value, { name })]),
  );
  return { x, y, p, loss: model.logits(x, p).softmaxCrossEntropy(y).mean() };
}

/** One step: the loss, and `next_<name>` for every parameter. The batch's length stays open unless given. */
export function sgdStep(model: Model, length: number | string = "batch"): Program {
  const { x, y, p, loss } = wire(model, length);
  const names = Object.keys(p);
  const grads = gradients(loss, Object.values(p));
  const next = Object.fromEntries(
    names.map((name, i) => [`next_${name}`, p[name]!.sub(grads[i]!.mul(RATE))]),
  );
  return program({ inputs: { x, y, ...p }, outputs: { loss, ...next } });
}

/** So many steps in one program, each on the same batch. */
export function sgdSteps(model: Model, steps: number): Program {
  const { x, y, p } = wire(model, "batch");
  const losses: Expression[] = [];
  let now = p;
  for (let step = 0; step < steps; step++) {
    const loss = model.logits(x, now).softmaxCrossEntropy(y).mean();
    losses.push(loss);
    const grads = gradients(loss, Object.values(now));
    now = Object.fromEntries(
      Object.entries(now).map(([name, value], i) => [name, value.sub(grads[i]!.mul(RATE))]),
    );
  }
  const next = Object.fromEntries(Object.entries(now).map(([name, value]) => [`next_${name}`, value]));
  return program({ inputs: { x, y, ...p }, outputs: { loss: losses.at(-1)!, ...next } });
}

/** The loss alone, and the loss with its gradients. */
export function forwardAndBoth(model: Model): { forward: Program; both: Program } {
  const { x, y, p, loss } = wire(model, "batch");
  const grads = gradients(loss, Object.values(p));
  return {
    forward: program({ inputs: { x, y, ...p }, outputs: { loss } }),
    both: program({
      inputs: { x, y, ...p },
      outputs: { loss, ...Object.fromEntries(Object.keys(p).map((name, i) => [`d_${name}`, grads[i]!])) },
    }),
  };
}
