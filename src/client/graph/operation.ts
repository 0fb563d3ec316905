// One operation of a graph, as people speak of it: the operator's name and the line that built it.
import type { Node } from "../../graph/expression.js";

export interface Operation {
  /** `matmul`; models call the node by it and by its place among the operations. */
  readonly name: string;
  /** The ONNX operator, which an engine's message may speak of. */
  readonly onnx: string;
  readonly site: Site | undefined;
}

/** Where an operation was built: its frames are made text only when somebody asks. */
export interface Site {
  readonly stack?: string;
}

/** Frames that are kept: those of this package come first, and a composition may have several. */
const FRAMES = 16;

/** The place that is being run. Undefined where the runtime does not tell. */
export function siteHere(): Site | undefined {
  if (typeof Error.captureStackTrace !== "function") return undefined;
  const limit = Error.stackTraceLimit;
  const site: Site = {};
  Error.stackTraceLimit = FRAMES;
  Error.captureStackTrace(site, siteHere);
  Error.stackTraceLimit = limit;
  return site;
}

/** The first frame that is not of this package: `at train (file:///home/me/train.ts:12:9)`; undefined where there is none. */
export function lineOf(site: Site | undefined): string | undefined {
  const frames = site?.stack?.split("\n").filter((line) => /^\s*at /.test(line));
  return frames
    ?.find((line) => !OWN.some((own) => line.includes(own)) && !line.includes("node:internal"))
    ?.trim();
}

/** Where this package lies, as frames write it; with source maps they speak of its sources. */
const ROOT = new URL("../../..", import.meta.url).href.replace(/^file:\/\//, "");
const OWN = [`${ROOT}dist/`, `${ROOT}src/`];

/** The operations of a program's nodes. */
export function operationsOf(nodes: readonly Node[], sites: WeakMap<Node, Site>): Operation[] {
  return nodes
    .filter(({ row }) => row.kind !== "source")
    .map((node) => ({
      name: node.row.name,
      onnx: node.row.kind === "tensor" ? node.row.onnx : node.row.name,
      site: sites.get(node.origin ?? node),
    }));
}
