// The laws of columns: payloads and runs come back as they went in.
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { decodeFrame, encodeFrame } from "./frame.js";
import {
  packPayloads,
  PAYLOAD_KINDS,
  unpackPayloads,
  type Payload,
  type PayloadColumns,
} from "./payloads.js";
import { eachInRuns, MAX_RUN_NUMBERS, packRuns } from "./runs.js";

const payload: fc.Arbitrary<Payload> = fc.record(
  { kind: fc.nat(PAYLOAD_KINDS.length - 1), bytes: fc.uint8Array({ maxLength: 40 }) },
  { noNullPrototype: true },
);

function listed(runs: Float64Array): number[] {
  const numbers: number[] = [];
  eachInRuns(runs, (n) => numbers.push(n));
  return numbers;
}

describe("payload columns", () => {
  it("give back the payloads, through a frame, each at a multiple of 8", () => {
    fc.assert(
      fc.property(fc.array(payload, { maxLength: 20 }), (payloads) => {
        const [columns] = decodeFrame(encodeFrame([packPayloads(payloads)])) as [PayloadColumns];
        const unpacked = unpackPayloads(columns);
        expect(unpacked).toEqual(payloads);
        for (const { bytes } of unpacked) expect((bytes.byteOffset - columns.data.byteOffset) % 8).toBe(0);
      }),
    );
  });
});

describe("runs", () => {
  it("give back the numbers in their order", () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.nat(30), fc.maxSafeInteger().map(Math.abs))), (numbers) => {
        expect(listed(packRuns(numbers))).toEqual(numbers);
      }),
    );
  });

  it("reach to the largest safe integer, and no further", () => {
    const last = Number.MAX_SAFE_INTEGER;
    expect(listed(packRuns([last - 1, last, last]))).toEqual([last - 1, last, last]);
    expect(() => listed(Float64Array.of(last, 2))).toThrow(expect.objectContaining({ code: "bad_message" }));
  });

  it("say a dense set in two numbers", () => {
    expect(packRuns(Array.from({ length: 10_000 }, (_, i) => i + 5))).toEqual(Float64Array.of(5, 10_000));
    expect(packRuns([])).toEqual(new Float64Array(0));
  });

  it("are refused as a whole, before the first visit, when any is wrong", () => {
    for (const bad of [
      [1],
      [0, -1],
      [-1, 1],
      [0.5, 1],
      [0, 1.5],
      [NaN, 1],
      [0, Infinity],
      [0, MAX_RUN_NUMBERS + 1],
    ])
      expect(() => listed(Float64Array.of(0, 1, ...bad)), String(bad)).toThrow(
        expect.objectContaining({ code: "bad_message" }),
      );
    let visits = 0;
    expect(() => eachInRuns(Float64Array.of(0, 5, 0, -1), () => visits++)).toThrow();
    expect(visits).toBe(0);
  });
});
