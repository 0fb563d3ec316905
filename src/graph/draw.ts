// Programs and plans as pictures (SVG): a program by its operators, a plan by its tasks.
import { diagram, type Arrow, type Box } from "./draw/diagram.js";
import { renameDim } from "./dim.js";
import { GraphError } from "./error.js";
import type { Node } from "./expression.js";
import type { Plan, Task } from "./plan.js";
import { Program } from "./program.js";
import { printType, type Type } from "./shape.js";

/** More boxes than this make no picture. */
export const DRAW_LIMIT = 2000;

/** An SVG document. Throws a GraphError with code `limit` where there would be more boxes than anyone can see. */
export function draw(what: Program | Plan): string {
  return what instanceof Program ? drawProgram(what) : drawPlan(what);
}

function drawProgram(program: Program): string {
  const { nodes, inputs } = program.graph;
  const shown = nodes.filter(({ source }) => !source?.value);
  limit(shown.length + program.outputs.length);
  const at = new Map(shown.map((node, i) => [node, i]));
  const names = new Map(inputs.map(({ node }, i) => [node, program.inputs[i]!.name]));
  const users = new Map([...program.graph.symbols].map(([user, own]) => [own, user]));
  const print = ({ dtype, shape }: Type): string =>
    printType({ dtype, shape: shape.map((dim) => renameDim(dim, users)) });
  const boxes = shown.map((node): Box => {
    const name = names.get(node);
    const types = node.types.map(print);
    return {
      lines: [name ?? node.row.name, ...types],
      hint: name === undefined ? `${node.row.doc} ${argumentsOf(node)}`.trim() : "An input.",
      tone: name === undefined ? "operator" : "input",
    };
  });
  const arrows = shown.flatMap((node, to): Arrow[] =>
    [...new Set(node.inputs.map((x) => at.get(x.node)))].flatMap((from) =>
      from === undefined ? [] : { from, to },
    ),
  );
  program.graph.outputs.forEach((x, i) => {
    const { name, type } = program.outputs[i]!;
    const from = at.get(x.node);
    if (from !== undefined) arrows.push({ from, to: boxes.length });
    boxes.push({ lines: [name, printType(type)], tone: "output" });
  });
  return diagram(`program ${program.hash.slice(0, 12)}`, boxes, arrows);
}

function drawPlan({ program, tasks, outputs, cost }: Plan): string {
  limit(program.inputs.length + tasks.length + program.outputs.length);
  const boxes: Box[] = program.inputs.map(({ name, type }) => ({
    lines: [name, printType(type)],
    tone: "input",
  }));
  const first = boxes.length;
  const inputAt = new Map(program.inputs.map(({ name }, i) => [name, i]));
  const arrows: Arrow[] = [];
  tasks.forEach((task, i) => {
    const own = new Set(task.inputs.flatMap((x) => (x.kind === "input" ? [inputAt.get(x.name)!] : [])));
    for (const from of own) arrows.push({ from, to: first + i });
    for (const { task: from, bytes } of task.needs)
      arrows.push({ from: first + from, to: first + i, label: inUnits(bytes, "B") });
    boxes.push(boxOf(task, i));
  });
  for (const [name, source] of Object.entries(outputs)) {
    if (source.kind === "task") arrows.push({ from: first + source.task, to: boxes.length });
    if (source.kind === "input") arrows.push({ from: inputAt.get(source.name)!, to: boxes.length });
    const { type } = program.outputs.find((port) => port.name === name)!;
    boxes.push({ lines: [name, printType(type)], tone: "output" });
  }
  return diagram(
    `plan of program ${program.hash.slice(0, 12)}: ${tasks.length} tasks, ${inSeconds(cost.seconds)}, ` +
      `${inUnits(cost.moved, "B")} moved; ${inSeconds(cost.alone)} on one node`,
    boxes,
    arrows,
  );
}

function boxOf({ program, node, cost }: Task, i: number): Box {
  const counts = new Map<string, number>();
  for (const { row } of program.graph.nodes)
    if (row.kind !== "source") counts.set(row.name, (counts.get(row.name) ?? 0) + 1);
  const ranked = [...counts]
    .sort(([, a], [, b]) => b - a)
    .map(([name, n]) => (n > 1 ? `${n} ${name}` : name));
  return {
    lines: [
      node === undefined ? `task ${i}` : `task ${i} on node ${node}`,
      ranked.slice(0, 3).join(", ") + (ranked.length > 3 ? ", ..." : ""),
      `${inUnits(cost.flops, "FLOP")}, ${inUnits(cost.bytes, "B")}`,
    ],
    hint: `program ${program.hash.slice(0, 12)}: ${ranked.join(", ")}`,
    tone: node ?? "operator",
  };
}

function argumentsOf({ attrs }: Node): string {
  return Object.entries(attrs)
    .map(([key, value]) => `${key}: ${typeof value === "object" ? `[${value.join(",")}]` : value}`)
    .join(", ");
}

function limit(boxes: number): void {
  if (boxes > DRAW_LIMIT)
    throw new GraphError(
      `draw: ${boxes} boxes are more than the ${DRAW_LIMIT} that a picture holds; draw a plan of it, or a part`,
      "limit",
    );
}

/** `1.2 MB` */
function inUnits(value: number, unit: string): string {
  const prefixes = ["", "k", "M", "G", "T", "P"];
  const step = value < 1 ? 0 : Math.min(prefixes.length - 1, Math.floor(Math.log10(value) / 3));
  const scaled = value / 1000 ** step;
  return `${scaled < 10 && step > 0 ? scaled.toFixed(1) : Math.round(scaled)} ${prefixes[step]}${unit}`;
}

function inSeconds(value: number): string {
  return value < 1 ? `${Number((value * 1000).toPrecision(3))} ms` : `${Number(value.toPrecision(3))} s`;
}
