// Lays a graph out, off the page's thread: layers from left to right (dagre).
import dagre from "@dagrejs/dagre";
import { BOX, type Layout, type LayoutOrder } from "./layout.js";

function layOut({ key, groups }: LayoutOrder): Layout {
  const graph = new dagre.graphlib.Graph();
  graph.setGraph({ rankdir: "LR", nodesep: 12, ranksep: 34, marginx: 16, marginy: 16 });
  graph.setDefaultEdgeLabel(() => ({}));
  const known = new Set(groups.map(({ number }) => number));
  for (const { number } of groups) graph.setNode(String(number), { ...BOX });
  for (const { number, after } of groups)
    for (const from of after) if (known.has(from)) graph.setEdge(String(from), String(number));
  dagre.layout(graph);
  const places = new Map<number, { x: number; y: number }>();
  for (const name of graph.nodes()) {
    const { x, y } = graph.node(name) as { x: number; y: number };
    places.set(Number(name), { x: x - BOX.width / 2, y: y - BOX.height / 2 });
  }
  const edges = graph.edges().map(({ v, w }) => {
    const { points } = graph.edge({ v, w }) as { points: { x: number; y: number }[] };
    const path = points
      .map(({ x, y }, i) => `${i === 0 ? "M" : "L"}${x.toFixed(1)} ${y.toFixed(1)}`)
      .join("");
    return { from: Number(v), to: Number(w), path };
  });
  const { width = 0, height = 0 } = graph.graph() as { width?: number; height?: number };
  return { key, width, height, places, edges };
}

onmessage = ({ data }: MessageEvent<LayoutOrder>) => postMessage(layOut(data));
