// What tests of graphs start: nodes that compute, honest and other, and clients whose graphs they compute.
import { fileURLToPath } from "node:url";
import { connect, Tensor } from "../../dist/flock/index.node.js";
import type { Flock, HubProcess, Program } from "../flock.js";

export type Client = Awaited<ReturnType<typeof connect>>;
export type Graph = ReturnType<Client["graph"]>;
export type Expression = ReturnType<Graph["tensor"]>;

const COMPUTING = fileURLToPath(new URL("./computing.mjs", import.meta.url));

/** What computing.mjs takes, besides options of a node. */
export interface ComputingOptions {
  readonly name?: string;
  readonly owner?: string;
  readonly lie?: "numbers" | "nan" | "shape" | "held";
  readonly labels?: readonly string[];
  readonly honest?: number;
  readonly slower?: number;
  readonly engine?: { readonly memoryMb: number };
}

export async function client(
  flock: Flock,
  hub: { readonly url: string },
  options: Parameters<typeof connect>[0] = {},
): Promise<Client> {
  const joined = await connect({ ...options, hub: hub.url });
  flock.atEnd(() => joined.close());
  return joined;
}

/** `flockwork node`s of one slot each, ready to compute. The first measures the machine; the others know it from there. */
export async function nodes(
  flock: Flock,
  hub: HubProcess,
  count: number,
  ...args: string[]
): Promise<Program[]> {
  const start = async (): Promise<Program> => {
    const node = flock.command("node", "--hub", hub.url, "--slots", "1", ...args);
    await node.said(/computes programs/);
    return node;
  };
  const first = await start();
  return [first, ...(await Promise.all(Array.from({ length: count - 1 }, start)))];
}

/** A node of computing.mjs that has joined, and its id. */
export async function computing(
  flock: Flock,
  hub: { readonly url: string },
  options: ComputingOptions = {},
): Promise<Program & { readonly id: string }> {
  const program = flock.script(COMPUTING, JSON.stringify({ ...options, hub: hub.url }));
  const id = (await program.said(/^ready /)).slice("ready ".length);
  return Object.assign(program, { id });
}

/** How many values a node of computing.mjs holds. */
export async function stored(node: Program): Promise<number> {
  const before = node.out.filter((line) => line.startsWith("store ")).length;
  node.child.stdin!.write("store\n");
  const lines = await node.saidTimes(/^store /, before + 1);
  return Number(lines.at(-1)!.split(" ")[1]);
}

/** Numbers in [0, 1) that a seed decides (mulberry32). */
export function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

export function matrix(rows: number, columns: number, value: (i: number) => number): Tensor {
  return new Tensor(
    "float32",
    [rows, columns],
    Float32Array.from({ length: rows * columns }, (_, i) => value(i)),
  );
}
