// A block of a transformer with symbolic batch and length: layers working together, forward and gradients, on both engines.
import { describe, expect, it } from "vitest";
import {
  evaluate,
  gradients,
  input,
  named,
  program,
  tensor,
  type Expression,
  type Program,
} from "../graph/index.js";
import { toNumbers, toTensor, type Tensor } from "../tensor/index.js";
import { loadProgram } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";
import { ortWebEngine } from "./ort-web.js";

const [vocabulary, width, heads, keyHeads] = [11, 8, 4, 2];

function weights(name: string, shape: readonly number[]): Expression {
  const size = shape.reduce((a, b) => a * b, 1);
  const seed = name.length + size;
  return tensor(
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * 1.9 + seed) / 2),
    { shape, name },
  );
}

function block(): Program {
  const tokens = input("tokens", "int64", ["batch", "length"]);
  const next = input("next", "int64", ["batch", "length"]);
  const p = {
    table: weights("table", [vocabulary, width]),
    scale: weights("scale", [width]),
    bias: weights("bias", [width]),
    wq: weights("wq", [width, width]),
    wk: weights("wk", [width, width / 2]),
    wv: weights("wv", [width, width / 2]),
    wo: weights("wo", [width, width]),
    up: weights("up", [width, 16]),
    down: weights("down", [16, width]),
    gain: weights("gain", [width]),
  };
  const x = p.table.embedding(tokens);
  const normal = x.layerNorm({ scale: p.scale, bias: p.bias });
  const seen = normal
    .linear(p.wq)
    .rotary()
    .multiHeadAttention(normal.linear(p.wk).rotary(), normal.linear(p.wv), heads, { keyHeads, causal: true });
  const middle = x.add(seen.linear(p.wo));
  const out = middle.add(middle.rmsNorm({ scale: p.gain }).linear(p.up).gelu().linear(p.down));
  const logits = out.matmul(p.table.transpose());
  const loss = logits.softmaxCrossEntropy(next).mean();
  return program({
    inputs: { tokens, next, ...p },
    outputs: { logits, loss, ...named(gradients(loss, Object.values(p))) },
  });
}

function feeds(batch: number, length: number): Record<string, Tensor> {
  const tokens = (seed: number): Tensor =>
    toTensor(
      Float64Array.from({ length: batch * length }, (_, i) => (i * seed + 3) % vocabulary),
      { dtype: "int64", shape: [batch, length] },
    );
  return { tokens: tokens(7), next: tokens(5) };
}

describe.each([
  ["onnxruntime-node", ortNodeEngine],
  ["onnxruntime-web", ortWebEngine],
] as const)("a transformer's block on %s", (_, start) => {
  it("equals the interpreter for every batch and length, and looks only back", async () => {
    const p = block();
    const session = await loadProgram(await start(), p);
    for (const [batch, length] of [
      [2, 5],
      [1, 3],
    ] as const) {
      const given = feeds(batch, length);
      const results = await session.run(given);
      evaluate(p.graph.outputs, p.feeds(given)).forEach((expected, i) => {
        const { name } = p.outputs[i]!;
        expect(results[name]!.shape).toEqual(expected.shape);
        toNumbers(results[name]!).forEach((value, k) => {
          expect(value, name).toBeCloseTo(expected.data[k]!, 4);
        });
      });
    }
    const whole = toNumbers((await session.run(feeds(1, 5))).logits!);
    const part = toNumbers((await session.run(feeds(1, 3))).logits!);
    part.forEach((value, i) => {
      expect(value).toBeCloseTo(whole[i]!, 5);
    });
    await session.release();
  });
});
