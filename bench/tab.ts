// npm run bench:tab: what a tab costs and does, in a headless Chromium on this machine, beside what is to be reached. JSON lines.
//   --only NAME     just one figure: bytes, first, steps, mixed, frames, dashboard
//   --minutes N     how long the dashboard is watched (default 1; 10 shows whether memory stays flat)
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import type { BrowserContext, Page } from "playwright-core";
import { ComputingNode, connect, MainNode, type Flock } from "../dist/flock/index.node.js";
import { Tensor } from "../dist/graph/index.js";
import { chromiumPath, openChromium } from "../test/browser/chromium.js";
import { startScript } from "./jobs/processes.js";
import { print } from "./jobs/statistics.js";
import { countingRoad } from "./tab/counting-road.js";
import { watchFrames } from "./tab/frames.js";
import { engineSteps, hubSteps } from "./tab/steps.js";

const { values } = parseArgs({
  options: { only: { type: "string" }, minutes: { type: "string", default: "1" } },
});
const wants = (name: string) => values.only === undefined || values.only === name;
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

const executablePath = chromiumPath();
if (executablePath === undefined) throw new Error("bench:tab needs chromium or google-chrome");

async function freshHub() {
  const hub = await startScript(new URL("./jobs/hub.mjs", import.meta.url), "memory");
  return { url: hub.line, kill: () => hub.kill() };
}

/** A browser that has never been here. `lan.test` is this machine under a name that browsers do not trust. */
async function fresh<T>(run: (browser: BrowserContext) => Promise<T>): Promise<T> {
  const { browser, close } = await openChromium(executablePath!);
  try {
    return await run(browser);
  } finally {
    await close();
  }
}

async function participate(browser: BrowserContext, url: string): Promise<Page> {
  const page = await browser.newPage();
  await page.goto(url);
  await page.getByRole("button", { name: "Participate" }).click();
  return page;
}

const taking = (page: Page) => page.locator('[data-phase="on"]').waitFor({ timeout: 60_000 });

/** What passes until the tab takes part: as browsers ask for it over https (br), and over plain http (gzip only). */
async function bytes(): Promise<void> {
  for (const form of ["br", "gzip"] as const) {
    const hub = await freshHub();
    const road = await countingRoad(new URL(hub.url));
    await fresh(async (browser) => {
      if (form === "gzip") await browser.setExtraHTTPHeaders({ "accept-encoding": "gzip" });
      const page = await participate(browser, `http://127.0.0.1:${road.port}/`);
      await taking(page);
    });
    let [all, engine] = [0, 0];
    for (const [path, count] of road.bytes) {
      all += count;
      if (/\.wasm$|engine-worker|page-slots/.test(path)) engine += count;
    }
    const share = { bench: "tab", what: "before the first task", encoding: form, unit: "bytes" };
    print({ ...share, with: "engine", bytes: all, reach: 4_500_000, ok: all < 4_500_000 });
    print({
      ...share,
      with: "page, link and node",
      bytes: all - engine,
      reach: 150_000,
      ok: all - engine < 150_000,
    });
    road.close();
    hub.kill();
  }
}

async function first(): Promise<void> {
  const hub = await freshHub();
  const client = await connect({ hub: hub.url });
  await fresh(async (browser) => {
    const page = await browser.newPage();
    await page.goto(hub.url.replace("ws", "http"));
    await page.getByRole("button", { name: "Participate" }).waitFor();
    await page.waitForLoadState("networkidle");
    for (const visit of ["first visit", "second visit"]) {
      const graph = client.graph();
      const a = graph.tensor([
        [1, 2],
        [3, 4],
      ]);
      const value = graph.value(a.matmul(a));
      const from = performance.now();
      await page.getByRole("button", { name: "Participate" }).click();
      await value;
      const ms = Math.round(performance.now() - from);
      print({
        bench: "tab",
        what: "Participate to the first task of a graph",
        visit,
        unit: "ms",
        ms,
        reach: 3000,
        ok: ms < 3000,
      });
      await graph.end();
      await taking(page);
      await page.getByRole("button", { name: "Stop" }).click();
      await page.locator('[data-phase="idle"]').waitFor();
    }
  });
  await client.close();
  hub.kill();
}

async function steps(): Promise<void> {
  await fresh(engineSteps);
  const hub = await freshHub();
  await fresh(async (browser) => {
    await taking(await participate(browser, hub.url.replace("ws", "http")));
    await hubSteps(hub.url);
  });
  hub.kill();
}

/** Two tabs and a Node process beside the process alone, on the same chains of products. */
async function mixed(): Promise<void> {
  const hub = await freshHub();
  const node = await ComputingNode.join({ hub: hub.url, name: "process" });
  const client = await connect({ hub: hub.url });
  await chains(client);
  const alone = await chains(client);
  await fresh(async (browser) => {
    for (let i = 0; i < 2; i++) await taking(await participate(browser, hub.url.replace("ws", "http")));
    await chains(client);
    const together = await chains(client);
    print({
      bench: "tab",
      what: `${CHAINS} chains of ${LENGTH} products of ${SIDE} x ${SIDE}: two tabs and a process beside the process alone`,
      unit: "s",
      alone: Number(alone.toFixed(2)),
      together: Number(together.toFixed(2)),
      faster: Number((alone / together).toFixed(2)),
      cores: availableParallelism(),
    });
  });
  await client.close();
  await node.close();
  hub.kill();
}

const [CHAINS, LENGTH, SIDE] = [24, 48, 512];

/** Seconds. */
async function chains(client: Flock): Promise<number> {
  const graph = client.graph();
  const from = performance.now();
  const made = Array.from({ length: CHAINS }, (_, chain) => {
    const data = Float32Array.from({ length: SIDE * SIDE }, (_, i) => ((i * 7 + chain) % 11) / 1000);
    const a = graph.tensor(new Tensor("float32", [SIDE, SIDE], data));
    let x = a;
    for (let i = 0; i < LENGTH; i++) x = x.matmul(a);
    return x.sum();
  });
  await Promise.all(made.map((sum) => graph.value(sum)));
  const seconds = (performance.now() - from) / 1000;
  await graph.end();
  return seconds;
}

async function frames(): Promise<void> {
  const hub = await freshHub();
  const client = await connect({ hub: hub.url });
  await fresh(async (browser) => {
    const page = await participate(browser, hub.url.replace("ws", "http"));
    await taking(page);
    let over = false;
    const busy = async () => {
      while (!over) {
        const graph = client.graph();
        let x = graph.tensor(
          Array.from({ length: 256 }, (_, i) => Array.from({ length: 256 }, (_, j) => (i + j) % 7)),
        );
        for (let i = 0; i < 8; i++) x = x.matmul(x).mul(1e-4);
        await graph.value(x.sum());
        await graph.end();
      }
    };
    const load = Promise.all([busy(), busy()]);
    const { longest, over: count, frames: fps } = await watchFrames(page, 15_000);
    over = true;
    await load;
    print({
      bench: "tab",
      what: "page while its tab computes graphs",
      unit: "ms",
      longestTask: longest,
      tasksOver50: count,
      framesPerSecond: Math.round(fps),
      reach: 50,
      ok: longest <= 50,
    });
  });
  await client.close();
  hub.kill();
}

/** 500 nodes, about 1,000 tasks a second. */
async function dashboard(): Promise<void> {
  const hub = await freshHub();
  const nodes = await startScript(new URL("./tab/nodes.mjs", import.meta.url), hub.url, "500", "450");
  const main = await MainNode.join({ hub: hub.url, name: "bench", session: "bench" });
  let over = false;
  let solved = 0;
  const feed = (async () => {
    // Always some thousand jobs wait, so that every node has one.
    async function* jobs() {
      for (let i = 0; !over; i++) {
        while (i - solved > 2000 && !over) await wait(20);
        yield "";
      }
    }
    for await (const result of main.submit("wait", jobs())) {
      if (result.ok) solved++;
      if (over) break;
    }
  })();
  const seconds = Number(values.minutes) * 60;
  await fresh(async (browser) => {
    const page = await browser.newPage();
    await page.goto(`${hub.url.replace("ws", "http")}/dashboard`);
    await page.locator('[data-link="up"]').waitFor();
    const devtools = await browser.newCDPSession(page);
    await devtools.send("Performance.enable");
    const heap = async () => {
      await devtools.send("HeapProfiler.collectGarbage");
      const { metrics } = await devtools.send("Performance.getMetrics");
      return metrics.find(({ name }) => name === "JSHeapUsedSize")!.value;
    };
    // Ten minutes of history and a full ring of tasks take their place first.
    await wait(15_000);
    const before = await heap();
    const [from, at] = [solved, performance.now()];
    const { longest, over: long, frames: fps } = await watchFrames(page, seconds * 1000);
    const rate = ((solved - from) * 1000) / (performance.now() - at);
    const after = await heap();
    print({
      bench: "tab",
      what: "dashboard, 500 nodes over sockets",
      seconds,
      tasksPerSecond: Math.round(rate),
      framesPerSecond: Number(fps.toFixed(1)),
      reach: 30,
      ok: fps >= 30,
      longestTask: longest,
      tasksOver50: long,
      heapMbBefore: Number((before / 1e6).toFixed(1)),
      heapMbAfter: Number((after / 1e6).toFixed(1)),
    });
  });
  over = true;
  await feed;
  await main.close();
  nodes.kill();
  hub.kill();
}

if (wants("bytes")) await bytes();
if (wants("first")) await first();
if (wants("steps")) await steps();
if (wants("mixed")) await mixed();
if (wants("frames")) await frames();
if (wants("dashboard")) await dashboard();
process.exit();
