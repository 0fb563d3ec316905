// Every row of the catalogue through a hub and a node, against the interpreter: in float32, and in an integer dtype where it takes one.
import { afterAll, beforeAll, expect, it } from "vitest";
import { catalogue, evaluate, GraphError, loadHostKernels } from "../../dist/graph/index.js";
import { cases, type Case } from "../../dist/graph/cases/index.js";
import { sample } from "../../dist/graph/cases/sample.js";
import { toNumbers, type DType } from "../../dist/tensor/index.js";
import { Flock } from "../flock.js";
import { client, nodes, type Client, type Expression, type Graph } from "./fleet.js";

/** Relative to the largest value. */
const TOLERANCE: Readonly<Partial<Record<DType, number>>> = { float16: 4e-3, float32: 1e-5, float64: 1e-9 };
/** Rows that are read together. */
const TOGETHER = 25;

let end!: () => Promise<void>;
let joined: Client;
beforeAll(async () => {
  const flock = new Flock((finish) => (end = finish));
  await loadHostKernels();
  const hub = await flock.hub({ ephemeral: true });
  await nodes(flock, hub, 1);
  joined = await client(flock, hub);
});
afterAll(() => end());

interface Tried {
  readonly what: string;
  readonly y: Expression;
  readonly expected: ReturnType<typeof evaluate>[number];
  readonly tolerance: number;
}

/** A case's outputs on leaves of the graph, or nothing where it is refused with a reason. */
function tried(graph: Graph, name: string, each: Case, dtype: DType): Tried[] {
  try {
    const { inputs, feeds, outputs } = sample(each, dtype);
    const expected = evaluate(outputs, feeds);
    const built = each.call(...inputs.map((x) => graph.tensor(feeds[x.name!]!)));
    return [built].flat().map((y: Expression, i) => ({
      what: `${name} in ${dtype} of ${each.inputs.join(" and ")}`,
      y,
      expected: expected[i]!,
      tolerance: (TOLERANCE[y.dtype] ?? 0) * ((each.tolerance ?? 1e-5) / 1e-5),
    }));
  } catch (error) {
    if (error instanceof GraphError) return [];
    throw error;
  }
}

const names = catalogue.map(({ row }) => row.name);
const parts = Array.from({ length: Math.ceil(names.length / TOGETHER) }, (_, i) =>
  names.slice(TOGETHER * i, TOGETHER * (i + 1)),
);

it.each(parts.map((part) => [part[0]!, part.at(-1)!, part] as const))(
  "%s to %s",
  async (_from, _to, part) => {
    const graph = joined.graph();
    const all = part.flatMap((name) => {
      const found = (cases[name] ?? []).flatMap((each) => [
        ...tried(graph, name, each, "float32"),
        ...(each.inputs.some((spec) => spec.startsWith("T")) ? tried(graph, name, each, "int32") : []),
      ]);
      expect(found.length, name).toBeGreaterThan(0);
      return found;
    });
    const values = await graph.values(all.map(({ y }) => y));
    for (const [i, { what, expected, tolerance }] of all.entries()) {
      const got = values[i]!;
      expect([got.dtype, got.shape], what).toEqual([expected.dtype, expected.shape]);
      const scale = expected.data.reduce(
        (top, v) => (Number.isFinite(v) ? Math.max(top, Math.abs(v)) : top),
        1,
      );
      toNumbers(got).forEach((value, k) => {
        const wanted = expected.data[k]!;
        if (!Object.is(value, wanted) && !(Math.abs(value - wanted) <= tolerance * scale))
          expect.fail(`${what}: element ${k} is ${value}, the interpreter says ${wanted}`);
      });
    }
    await graph.end();
  },
);
