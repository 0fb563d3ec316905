// docs/wire.md against the code: its test vectors, its table of messages and its numbers.
import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { decodeTensor, DTYPES, encodeTensor, Tensor, type DType } from "../tensor/index.js";
import { decodeFrame, encodeFrame, MAX_FRAME_BYTES, MAX_MESSAGES } from "./frame.js";
import { MAX_DEPTH, MAX_VALUES } from "./header.js";
import { checkMessage, MESSAGES, PROTOCOL_VERSION, type MessageName } from "./messages.js";
import { PAYLOAD_KINDS } from "./payloads.js";
import { MAX_RUN_NUMBERS } from "./runs.js";

const page = readFileSync(new URL("../../docs/wire.md", import.meta.url), "utf8");

const ELEMENTS: Record<string, (numbers: number[]) => unknown> = {
  u8: (n) => Uint8Array.from(n),
  u16: (n) => Uint16Array.from(n),
  u32: (n) => Uint32Array.from(n),
  i32: (n) => Int32Array.from(n),
  f32: (n) => Float32Array.from(n),
  f64: (n) => Float64Array.from(n),
  i64: (n) => BigInt64Array.from(n, BigInt),
};

/** Puts typed arrays where the page writes {"f64": [...]}. */
function withArrays(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  const [[name, numbers] = ["", undefined], ...rest] = Object.entries(value);
  const make = Object.hasOwn(ELEMENTS, name) && rest.length === 0 ? ELEMENTS[name] : undefined;
  return make ? make(numbers as number[]) : value;
}

/** The fenced blocks of one kind: a line of JSON, then lines of hexadecimal. */
function vectors(kind: string): { json: string; hex: string }[] {
  return [...page.matchAll(new RegExp("```" + kind + "\\n(.*)\\n([0-9a-f\\n]+)```", "g"))].map((match) => ({
    json: match[1]!,
    hex: match[2]!.replaceAll("\n", ""),
  }));
}

describe("docs/wire.md", () => {
  it("has vectors of both kinds", () => {
    expect(vectors("frame").length).toBeGreaterThanOrEqual(8);
    expect(vectors("tensor").length).toBeGreaterThanOrEqual(4);
  });

  it.each(vectors("frame"))("frame $json", ({ json, hex }) => {
    const messages = JSON.parse(json, withArrays) as { t?: string }[];
    expect(Buffer.from(encodeFrame(messages)).toString("hex")).toBe(hex);
    expect(decodeFrame(Buffer.from(hex, "hex"))).toEqual(messages);
    for (const message of messages)
      if (message.t !== undefined)
        expect(checkMessage(message, MESSAGES[message.t as MessageName].from[0])).toEqual(message);
  });

  it.each(vectors("tensor"))("tensor $json", ({ json, hex }) => {
    const [dtype, shape, elements] = JSON.parse(json) as [DType, number[], (number | string)[]];
    const data =
      dtype === "int64"
        ? BigInt64Array.from(elements, BigInt)
        : new (DTYPES[dtype].array as Float32ArrayConstructor)(elements as number[]);
    const tensor = new Tensor(dtype, shape, data);
    expect(Buffer.from(encodeTensor(tensor)).toString("hex")).toBe(hex);
    expect(decodeTensor(new Uint8Array(Buffer.from(hex, "hex")))).toEqual(tensor);
  });

  it("lists every message with its senders and fields, and no other", () => {
    const rows = [...page.matchAll(/^\| `(\w+)` \|([^|]*)\|([^|]*)\|/gm)];
    expect(rows.map((row) => row[1])).toEqual(Object.keys(MESSAGES));
    for (const [, name, from, fields] of rows) {
      const row = MESSAGES[name as MessageName];
      expect(from!.trim().split(", "), name).toEqual([...row.from]);
      const expected = Object.entries(row.schema.entries)
        .filter(([field]) => field !== "t")
        .map(([field, schema]) => `\`${field}\`${schema.type === "optional" ? "?" : ""}`);
      expect(fields!.trim(), name).toBe(expected.join(", "));
    }
  });

  it("gives the numbers of the code", () => {
    const grouped = (n: number) => n.toLocaleString("en-US");
    expect(page).toContain(`a version, now **${PROTOCOL_VERSION}**,`);
    expect(page).toContain(`${grouped(MAX_MESSAGES)} messages a frame, ${grouped(MAX_VALUES)} values`);
    expect(page).toContain(`${MAX_DEPTH} levels of nesting, ${MAX_FRAME_BYTES / 2 ** 20} MiB a frame`);
    expect(page).toContain(`at most ${grouped(MAX_RUN_NUMBERS)} numbers`);
    PAYLOAD_KINDS.forEach((kind, i) => expect(page).toMatch(new RegExp(`\\b${i} ${kind}\\b`, "i")));
    for (const [dtype, { onnx }] of Object.entries(DTYPES)) expect(page).toContain(`${onnx} ${dtype}`);
  });
});
