// NaN, infinities, zeros and very small numbers: every elementwise row on every engine says what the interpreter says.
import { beforeAll, describe, expect, it } from "vitest";
import { catalogue, evaluate, input, program, type Expression } from "../graph/index.js";
import { fromNumbers, Tensor, toNumbers, type DType } from "../tensor/index.js";
import { loadProgram, type Engine } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";
import { ortWebEngine } from "./ort-web.js";

const SPECIAL = [NaN, Infinity, -Infinity, 0, 1, -1, 1e-9, -1e-9, 0.5, -2.5, 30];
/** Longer than a vector register, so that both the wide and the single loops of a kernel are met. */
const ROW = [...SPECIAL, ...SPECIAL, ...SPECIAL];

const elementwise = catalogue.filter(
  ({ row, method }) =>
    method &&
    (row.family === "elementwise" || row.family === "compare") &&
    !["where", "isClose", "clip"].includes(row.name) &&
    !/quotient|bitwise/.test(row.name),
);

describe.each([
  ["onnxruntime-node", ortNodeEngine],
  ["onnxruntime-web", ortWebEngine],
] as const)("%s", (_, start) => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await start();
  });

  it.each(elementwise.map(({ row, call }) => [row.name, call] as const))("%s", async (name, call) => {
    for (const dtype of ["float32", "float64"] as const) {
      const x = input("x", dtype, [ROW.length]);
      const y = input("y", dtype, [SPECIAL.length, 1]);
      if (dtype === "float64" && name === "erf") continue;
      const result = (call as unknown as (...xs: Expression[]) => Expression)(
        ...(call.length > 1 ? [x, y] : [x]),
      );
      const feeds = {
        x: of(dtype, [ROW.length], ROW),
        ...(call.length > 1 && { y: of(dtype, [SPECIAL.length, 1], SPECIAL) }),
      };
      const session = await loadProgram(engine, program({ outputs: { result } }));
      const actual = toNumbers((await session.run(feeds)).result!);
      await session.release();
      const wanted = evaluate([result], feeds)[0]!.data;
      const tolerance = dtype === "float64" ? 1e-13 : 3e-6;
      wanted.forEach((value, i) => {
        const what = `${name}(${ROW[i % ROW.length]}${call.length > 1 ? `, ${SPECIAL[Math.floor(i / ROW.length)]}` : ""}) in ${dtype} is ${actual[i]}, the interpreter says ${value}`;
        // Where float32 overflows, float64 need not.
        if (Math.abs(value) > 3e38 && Math.abs(actual[i]!) > 3e38) return;
        if (
          !Object.is(actual[i]! + 0, value + 0) &&
          !(Math.abs(actual[i]! - value) <= tolerance * Math.abs(value) + 1e-45)
        )
          expect.fail(what);
      });
    }
  });
});

function of(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
  return new Tensor(dtype, shape, fromNumbers(dtype, values));
}
