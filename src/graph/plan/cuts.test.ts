// Every way to cut that a row promises: the pieces, joined, are the whole. Tried on the cases of every row.
import { beforeAll, describe, expect, it } from "vitest";
import { cases, type Case } from "../cases/index.js";
import { sample, type Sample } from "../cases/sample.js";
import { isStatic } from "../dim.js";
import { Expression, Node, applyAll } from "../expression.js";
import { GraphError } from "../error.js";
import { loadHostKernels } from "../host-kernels.js";
import { evaluate } from "../interpreter.js";
import { concat } from "../catalogue/shaping.js";
import type { Cut } from "../row.js";
import { printType } from "../shape.js";
import { topological } from "../walk.js";

beforeAll(() => loadHostKernels());

describe.each(Object.entries(cases))("%s", (_, each) => {
  it("is the same in pieces", () => {
    for (const one of each) {
      const { outputs, feeds } = built(one);
      const tried = topological(outputs).flatMap(everyCut);
      const values = evaluate(
        tried.flatMap(({ whole, joined }) => [whole, joined]),
        feeds,
      );
      tried.forEach(({ what }, k) => {
        const [whole, joined] = [values[2 * k]!, values[2 * k + 1]!];
        expect(joined.shape, what).toEqual(whole.shape);
        whole.data.forEach((v, i) => {
          const got = joined.data[i]!;
          if (!Object.is(v, got) && !(Math.abs(v - got) <= 1e-9 * (1 + Math.abs(v))))
            expect.fail(`${what}: element ${i} is ${got}, whole it is ${v}`);
        });
      });
    }
  });
});

/** In the first dtype that the row takes. */
function built(one: Case): Sample {
  try {
    return sample(one, "float32");
  } catch (error) {
    if (error instanceof GraphError) return sample(one, "int32");
    throw error;
  }
}

interface Tried {
  readonly what: string;
  readonly whole: Expression;
  readonly joined: Expression;
}

function everyCut(node: Node): Tried[] {
  const { row, inputs, types, attrs } = node;
  const all = [...inputs.map((x) => x.type), ...types];
  if (row.cuts === undefined || !all.every(({ shape }) => isStatic(shape))) return [];
  return row.cuts({ inputs: inputs.map((x) => x.type), outputs: types, attrs }).flatMap((cut) => {
    const at = cut.inputs.findIndex((axis) => axis !== null);
    const length = at < 0 ? 0 : (inputs[at]!.shape[cut.inputs[at]!] as number);
    if (length < 2) return [];
    const what = `${row.name} of ${inputs.map((x) => printType(x.type)).join(" and ")} cut at ${JSON.stringify(cut)}`;
    return [{ what, whole: new Expression(node, 0), joined: inPieces(node, cut, length) }];
  });
}

function inPieces({ row, inputs, attrs }: Node, cut: Cut, length: number): Expression {
  const bounds = [0, Math.ceil(length / 3), length];
  const parts = bounds.slice(1).map((to, k) => {
    const from = bounds[k]!;
    return applyAll(
      row,
      inputs.map((x, i) => (cut.inputs[i] === null ? x : x.slice([from], [to], [cut.inputs[i]!]))),
      cut.attrs?.(to - from) ?? attrs,
    )[0]!;
  });
  const [a, b] = parts as [Expression, Expression];
  switch (cut.join) {
    case "add":
      return a.add(b);
    case "mul":
      return a.mul(b);
    case "max":
      return a.maximum(b);
    case "min":
      return a.minimum(b);
    default:
      return concat(parts, cut.join.concat);
  }
}
