// Pictures: well-formed, every box and arrow there, and nothing that a name could smuggle in.
import { describe, expect, it } from "vitest";
import { draw } from "./draw.js";
import { gradients } from "./gradient.js";
import { input, tensor } from "./leaf.js";
import { plan } from "./plan.js";
import { named, program } from "./program.js";

const x = input("x", "float32", ["batch", 64]);
const w = tensor(new Float32Array(64 * 32), { shape: [64, 32], name: "w" });
const loss = x.matmul(w).relu().sum();
const step = program({ inputs: { x }, outputs: { loss, ...named(gradients(loss, [w])) } });

/** Every tag is closed by its own, and all text is outside of tags. */
function checkTags(svg: string): void {
  const open: string[] = [];
  for (const [, end, name, self] of svg.matchAll(/<(\/?)([a-z]+)(?:\s[^<>]*?)?(\/?)>/gi))
    if (end) expect(open.pop()).toBe(name);
    else if (!self) open.push(name!);
  expect(open).toEqual([]);
  expect(svg.replace(/<[^<>]*>/g, "")).not.toMatch(/[<>]/);
}

describe("draw", () => {
  it("shows each operator, input and output of a program", () => {
    const svg = draw(step);
    checkTags(svg);
    const operators = step.graph.nodes.filter(({ source, row }) => !source && row.kind !== "source");
    for (const { row } of operators) expect(svg).toContain(`>${row.name}</text>`);
    for (const { name } of [...step.inputs, ...step.outputs]) expect(svg).toContain(`>${name}</text>`);
    expect(svg).toContain(">float32 [batch,64]</text>");
  });

  it("shows each task of a plan, its node, and the bytes between", () => {
    const made = plan(
      step,
      {
        nodes: [
          { flops: 1e6, memory: 1e6 },
          { flops: 1e6, memory: 1e6 },
        ],
        bandwidth: 1e8,
        roundTrip: 1e-4,
      },
      { lengths: { batch: 256 } },
    );
    const svg = draw(made);
    checkTags(svg);
    expect(made.tasks.length).toBeGreaterThan(1);
    made.tasks.forEach(({ node }, i) => {
      expect(svg).toContain(`>task ${i}${node === undefined ? "" : ` on node ${node}`}</text>`);
    });
    expect(svg).toMatch(/>\d+(\.\d)? k?B<\/text>/);
  });

  it("writes names as text, whatever they hold", () => {
    const svg = draw(program({ outputs: { "</text><script>\u0001": input('<&"', "float32", []).exp() } }));
    checkTags(svg);
    expect(svg).not.toContain("<script");
    expect(svg).toContain("&#60;&#38;&#34;");
  });

  it("refuses what nobody could read", () => {
    let y = x;
    for (let i = 0; i < 2100; i++) y = y.sin();
    expect(() => draw(program({ outputs: { y } }))).toThrow("draw: 2102 boxes are more than the 2000");
  });
});
