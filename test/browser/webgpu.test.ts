// Programs on WebGPU in a real Chromium, with its software adapter: every row of the catalogue, a whole tab, and a device that is lost.
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../dist/flock/index.node.js";
import { Flock, until, type HubProcess } from "../flock.js";
import { serveBundled } from "./bundled-page.js";
import { chromiumPath, openChromium, type OpenBrowser } from "./chromium.js";
import { openPage } from "./open-page.js";
import type { WebGpuPage } from "./webgpu-page.js";

/** All rows in all dtypes take a minute; what they do lies with the runtime's version. */
const EVERY = process.env["FLOCKWORK_ROWS"] === "all";
/** What training and inference are made of, and what the table of webgpu-rows.ts is about. */
const OFTEN = (
  "add sub mul div pow exp log tanh sigmoid relu gelu maximum where clip softmax logSoftmax sum mean max argmax " +
  "transpose reshape concat take slice unslice conv convTranspose maxPool averagePool layerNorm batchNorm instanceNorm " +
  "crossEntropy cos cumsum"
).split(" ");

const executablePath = chromiumPath();
const SOFTWARE = ["--enable-unsafe-webgpu", "--use-webgpu-adapter=swiftshader"];

/** A page with webgpu-page.ts in it, and the names of the runtime's files that it fetched. `banner`: run before it. */
async function rowsPage(flock: Flock, { browser }: OpenBrowser, banner: string) {
  const served = await serveBundled({ "/page.js": new URL("./webgpu-page.ts", import.meta.url) }, banner);
  flock.atEnd(() => served.close());
  const page = await browser.newPage();
  flock.atEnd(() => page.close());
  await page.goto(served.url);
  await page.waitForFunction("window.start !== undefined");
  return { page, fetched: served.fetched };
}

describe.skipIf(executablePath === undefined)("WebGPU", () => {
  let opened: OpenBrowser;
  let adapter = "";
  beforeAll(async () => {
    opened = await openChromium(executablePath!, SOFTWARE);
    const page = await opened.browser.newPage();
    // A page of the browser's own is a secure one.
    await page.goto("chrome://version");
    adapter = await page.evaluate(async () => {
      const { gpu } = navigator as {
        gpu?: { requestAdapter(): Promise<{ info: { architecture: string } } | null> };
      };
      return (await gpu?.requestAdapter())?.info.architecture ?? "";
    });
    await page.close();
    if (adapter === "") process.stderr.write("WebGPU tests skip: this Chromium has no software adapter\n");
  });
  afterAll(() => opened?.close());

  test.for([
    ["jspi", ""],
    ["asyncify", "delete WebAssembly.Suspending;"],
  ] as const)(
    "computes every row as the interpreter does: %s",
    async ([build, banner], { onTestFinished, skip }) => {
      if (adapter === "") skip();
      const flock = new Flock(onTestFinished);
      const { page, fetched } = await rowsPage(flock, opened, banner);
      const facts = await page.evaluate(() => (window as unknown as WebGpuPage).start());
      expect(facts).toMatchObject({ provider: "webgpu", cpu: `webgpu google ${adapter}` });
      const wrong: string[] = [];
      const look = async (...names: readonly string[]) => {
        for (const name of names) {
          const seen = await page.evaluate(
            ([name, all]) => (window as unknown as WebGpuPage).tryRow(name, all),
            [name, EVERY] as const,
          );
          expect([name, seen.tried]).not.toEqual([name, 0]);
          wrong.push(...seen.wrong);
        }
      };
      const files = (infix: string) =>
        ["mjs", "wasm"].map((ending) => `ort-wasm-simd-threaded${infix}.${ending}`);
      await look("matmul");
      expect(fetched).toEqual(new Set(files(`.${build}`)));
      // What the graphics card would get wrong brings the other engine.
      await look("sin");
      expect(fetched).toEqual(new Set([...files(`.${build}`), ...files("")]));
      // The kernels of both builds are the same.
      if (build === "jspi" && EVERY)
        await look(...(await page.evaluate(() => (window as unknown as WebGpuPage).rows())));
      else if (build === "jspi") await look(...OFTEN);
      expect(wrong).toEqual([]);
    },
  );

  /** A tab that computes on the graphics card, as whoever opened it asked for. */
  async function tab(flock: Flock, hub: HubProcess): Promise<Page> {
    const page = await openPage(flock, opened.browser, `${hub.url.replace("ws", "http")}/`, {
      may: /lost|GPU/i,
    });
    const card = page.getByLabel("Compute on the graphics card");
    expect(await card.isChecked()).toBe(false); // nobody's choice: it is software
    await card.check();
    await page.getByRole("button", { name: "Participate" }).click();
    await page.locator('[data-phase="on"]').waitFor({ timeout: 60_000 });
    return page;
  }

  const tabs = async (hub: HubProcess) =>
    (await hub.get<{ id: string; state: string; provider?: string; device?: string }[]>("/api/nodes")).filter(
      ({ state }) => state === "running",
    );

  test("computes graphs of a tab; when the card is lost, the processor goes on", async ({
    onTestFinished,
    skip,
  }) => {
    if (adapter === "") skip();
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const page = await tab(flock, hub);
    const [node] = await tabs(hub);
    expect(node).toMatchObject({ provider: "webgpu", device: expect.stringContaining(adapter) });
    await page.getByText(`The graphics card of this device (google ${adapter})`).waitFor();
    const client = await connect({ hub: hub.url });
    flock.atEnd(() => client.close());
    const graph = client.graph({ eager: true });
    const rows = Array.from({ length: 48 }, (_, i) =>
      Array.from({ length: 48 }, (_, j) => ((i * 7 + j * 3) % 5) - 2),
    );
    const a = graph.tensor(rows);
    /** Small whole numbers: exact on every engine. */
    const chain = async (length: number) => {
      let x = a;
      for (let i = 0; i < length; i++) x = x.matmul(a).clip(-3, 3);
      return [...(await graph.value(x.sum([0]))).data];
    };
    const right = await chain(20);
    expect(right.some((sum) => sum !== 0)).toBe(true);
    let over = false;
    const more = (async () => {
      const seen: unknown[] = [];
      for (let i = 0; !over; i++) seen.push(await chain(20));
      return seen;
    })();
    const devtools = await opened.browser.browser()!.newBrowserCDPSession();
    const { processInfo } = await devtools.send("SystemInfo.getProcessInfo");
    process.kill(processInfo.find(({ type }) => type === "GPU")!.id, "SIGKILL");
    await page.getByText("with the processor: the graphics card does not compute any more").waitFor();
    const [again] = await until(
      "it has joined anew",
      () => tabs(hub),
      (here) => here.length === 1 && here[0]!.id !== node!.id,
    );
    expect(again!.provider).toBe("wasm");
    over = true;
    for (const sums of [...(await more), await chain(20)]) expect(sums).toEqual(right);
  });
});
