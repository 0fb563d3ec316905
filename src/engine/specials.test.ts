// NaN, infinities, zeros and very small numbers: every elementwise row on every engine says what the interpreter says.
import { beforeAll, describe, expect, it } from "vitest";
import { catalogue, evaluate, input, program, type Expression } from "../graph/index.js";
import { fromNumbers, Tensor, toNumbers, type DType } from "../tensor/index.js";
import { loadProgram, type Engine } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";
import { ortWebEngine } from "./ort-web.js";

const SPECIAL = [NaN, Infinity, -Infinity, 0, 1, -1, 1e-9, -1e-9, 0.3, 0.5, -2.5, 4, 30];
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

  it.each(["int32", "int64", "uint8"] as const)(
    "divides %s by zero, by -1 and across zero without a stop",
    async (dtype) => {
      const least = dtype === "int32" ? -(2 ** 31) : dtype === "int64" ? -(2 ** 50) : 0;
      const top = dtype === "uint8" ? [200, 7, 5, 0] : [7, -7, 2 ** 30, 0, least];
      const a = input("a", dtype, [top.length]);
      const b = input("b", dtype, [6, 1]);
      const feeds = {
        a: of(dtype, [top.length], top),
        b: of(dtype, [6, 1], dtype === "uint8" ? [0, 1, 2, 3, 100, 255] : [0, -1, 1, 3, -3, 1000]),
      };
      const outputs = {
        quotient: a.quotient(b),
        fmod: a.fmod(b),
        mod: a.mod(b),
        floorDivide: a.floorDivide(b),
      };
      const session = await loadProgram(engine, program({ outputs }));
      const actual = await session.run(feeds);
      await session.release();
      for (const [name, y] of Object.entries(outputs))
        expect([...toNumbers(actual[name]!)], name).toEqual([
          ...evaluate([y], feeds)[0]!.data.map((v) => v + 0),
        ]);
      const rows = [...toNumbers(actual.floorDivide!)];
      expect(rows.slice(0, top.length)).toEqual(top.map(() => 0));
      if (dtype !== "uint8") {
        expect(rows.slice(3 * top.length, 3 * top.length + 2)).toEqual([2, -3]);
        expect(toNumbers(actual.mod!)[4 * top.length]).toBe(-2);
      }
    },
  );
});

function of(dtype: DType, shape: readonly number[], values: readonly number[]): Tensor {
  return new Tensor(dtype, shape, fromNumbers(dtype, values));
}
