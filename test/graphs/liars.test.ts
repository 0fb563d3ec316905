// Nodes that lie: about numbers, shapes, and what they hold. Copies, checks at whoever reads, and Freivalds' check find them out:
// the result is right, and the liar is named and left alone.
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Tensor } from "../../dist/tensor/index.js";
import { Flock, until, type HubProcess } from "../flock.js";
import {
  client,
  computing,
  matrix,
  random,
  stored,
  type Client,
  type ComputingOptions,
  type Graph,
} from "./fleet.js";

/** Larger than what goes by way of the hub: 38 KiB. */
const [ROWS, COLUMNS] = [80, 120];

let end!: () => Promise<void>;
let flock: Flock;
let hub: HubProcess;
let honest: Awaited<ReturnType<typeof computing>>[];
beforeAll(async () => {
  flock = new Flock((finish) => (end = finish));
  hub = await flock.hub({ ephemeral: true });
  honest = [await computing(flock, hub, { name: "anna", owner: "anna" })];
  honest.push(await computing(flock, hub, { name: "carl", owner: "carl" }));
});
afterAll(() => end());

/** Runs with a liar among the nodes, which is gone afterwards. */
async function withLiar(
  options: ComputingOptions,
  run: (client: Client) => Promise<void>,
): Promise<{ id: string; notices: string[] }> {
  const liar = await computing(flock, hub, { name: "ben", owner: "ben", ...options });
  const notices: string[] = [];
  const own = await client(flock, hub, { onNotice: ({ message }) => notices.push(message) });
  try {
    await run(own);
    await liar.said(/^lied/, 1000);
  } finally {
    await own.close();
    await liar.kill();
    await until(
      "the liar to be forgotten",
      () => hub.nodes(),
      (all) => all.every(({ id, state }) => id !== liar.id || state !== "running"),
    );
  }
  return { id: liar.id, notices };
}

/** Sixteen tasks, in four chains: sums of whole numbers, the same in every order. */
function chains(graph: Graph) {
  const ends = [1, 2, 3, 4].map((start) => {
    let x = graph.tensor(matrix(ROWS, COLUMNS, (i) => start + (i % 7)));
    for (let step = 1; step <= 4; step++)
      x = x.add(graph.tensor(matrix(ROWS, COLUMNS, (i) => step + (i % 3))));
    return x;
  });
  return ends.reduce((sum, x) => sum.add(x));
}
const expected = matrix(
  ROWS,
  COLUMNS,
  (i) => 1 + 2 + 3 + 4 + 4 * (i % 7) + 4 * (1 + 2 + 3 + 4 + 4 * (i % 3)),
);

function expectRight(got: Tensor): void {
  expect(got.shape).toEqual(expected.shape);
  expect((got.data as Float32Array).every((value, i) => value === expected.data[i])).toBe(true);
}

function expectNamed({ id, notices }: { id: string; notices: string[] }): void {
  const named = notices.filter((notice) => notice.includes("is in quarantine"));
  expect(named.length).toBeGreaterThan(0);
  for (const notice of named) expect(notice).toContain(`${id} is in quarantine`);
}

describe("with replicas, a liar", () => {
  it.each([
    ["that changes numbers", { lie: "numbers" }],
    ["that answers NaN", { lie: "nan" }],
    ["that answers other shapes", { lie: "shape" }],
    ["that holds other bytes than it says", { lie: "held" }],
    ["that was honest for a while", { lie: "numbers", honest: 1 }],
  ] as const)("%s is named, and the result is right", async (_, options) => {
    const found = await withLiar(options, async (client) => {
      const graph = client.graph({ eager: true, replicas: 2 });
      expectRight(await graph.value(chains(graph)));
      await graph.end();
    });
    expectNamed(found);
    // What the copies made goes with the graph.
    for (const node of honest)
      await until(
        "its values to be gone",
        () => stored(node),
        (count) => count === 0,
      );
  });
});

describe("without replicas", () => {
  const LABELS = ["here"];
  /** A liar and one that is honest, and nobody else for these graphs. */
  async function withOneHonest(lie: "numbers" | "shape", run: (client: Client) => Promise<void>) {
    const dora = await computing(flock, hub, { name: "dora", labels: LABELS });
    try {
      return await withLiar({ lie, labels: LABELS }, run);
    } finally {
      await dora.kill();
    }
  }
  const options = { eager: true, needs: { labels: LABELS } };

  it("a node that answers other shapes is named, not the one that was to read them", async () => {
    const found = await withOneHonest("shape", async (client) => {
      const graph = client.graph(options);
      expectRight(await graph.value(chains(graph)));
      await graph.end();
    });
    expectNamed(found);
  });

  it("small values of another shape are refused when they come", async () => {
    const found = await withOneHonest("shape", async (client) => {
      const graph = client.graph(options);
      const sums = Array.from({ length: 16 }, (_, i) => graph.tensor([i, 2, 3]).add(graph.tensor([1, 1, 1])));
      const values = await graph.values(sums);
      expect(values.map(({ shape, data }) => [shape, data[0]])).toEqual(sums.map((_, i) => [[3], i + 1]));
      await graph.end();
    });
    expectNamed(found);
  });

  it("a wrong product does not stand up to Freivalds' check, and is computed again", async () => {
    const next = random(5);
    const leaves = Array.from({ length: 8 }, () => matrix(96, 96, () => Math.round(8 * next()) - 4));
    const found = await withOneHonest("numbers", async (client) => {
      const graph = client.graph({ ...options, verify: "freivalds" });
      const given = leaves.map((leaf) => graph.tensor(leaf));
      const products = given.map((x, i) => x.matmul(given[(i + 1) % given.length]!));
      for (const [i, product] of products.entries()) {
        const got = await graph.value(product);
        const [a, b] = [leaves[i]!, leaves[(i + 1) % leaves.length]!];
        expect((got.data as Float32Array).every((value, at) => value === dot(a, b, at))).toBe(true);
      }
      await graph.end();
    });
    expectNamed(found);
  });
});

/** Element `at` of a product of square matrices. */
function dot(a: Tensor, b: Tensor, at: number): number {
  const side = a.shape[0]!;
  const [row, column] = [Math.floor(at / side), at % side];
  let sum = 0;
  for (let i = 0; i < side; i++) sum += Number(a.data[row * side + i]) * Number(b.data[i * side + column]);
  return sum;
}
