// The browser build in a real Chromium: without Node built-ins, as computing node and as main node, and a page that goes away.
import { createServer, type Server } from "node:http";
import { builtinModules } from "node:module";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type * as flockwork from "../../dist/flock/index.browser.js";
import { figure, Flock, until } from "../flock.js";
import { chromiumPath, openChromium, type OpenBrowser } from "./chromium.js";

const ENTRY = fileURLToPath(new URL("../../dist/flock/index.browser.js", import.meta.url));

async function bundle() {
  const result = await build({
    entryPoints: [ENTRY],
    bundle: true,
    platform: "browser",
    format: "esm",
    minify: true,
    write: false,
    metafile: true,
    logLevel: "silent",
    // Were one imported, it must show here rather than stop the build at the first.
    external: builtinModules.flatMap((name) => [name, `node:${name}`]),
  });
  return { code: result.outputFiles[0]!.text, metafile: result.metafile };
}

test("the browser build holds no Node built-in", async () => {
  const { code, metafile } = await bundle();
  const foreign = Object.entries(metafile.inputs).flatMap(([file, { imports }]) =>
    imports.filter((imported) => imported.external).map((imported) => `${imported.path} in ${file}`),
  );
  expect(foreign).toEqual([]);
  expect(Object.keys(metafile.inputs).filter((file) => file.includes(".node."))).toEqual([]);
  expect(code).not.toMatch(/\b(process\.(env|versions)|__dirname|Buffer\.from)\b/);
  figure("browser build", `${(gzipSync(code).length / 1024).toFixed(1)} KiB gzipped`);
});

const executablePath = chromiumPath();
if (executablePath === undefined)
  process.stderr.write("page tests skip: neither chromium nor google-chrome is installed\n");

describe.skipIf(executablePath === undefined)("a page", () => {
  let server: Server;
  let opened: OpenBrowser;
  let browser: BrowserContext;

  beforeAll(async () => {
    const { code } = await bundle();
    const html = `<!doctype html><title>page</title><script type="module">
      window.flockwork = await import("/flockwork.js");</script>`;
    server = createServer(({ url }, response) => {
      const script = url === "/flockwork.js";
      response.setHeader("content-type", script ? "text/javascript" : "text/html");
      response.end(script ? code : html);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    opened = await openChromium(executablePath!);
    browser = opened.browser;
  });

  afterAll(async () => {
    await opened?.close();
    server?.close();
  });

  const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  /** A hub that lets the page's origin in: the page is another server's. */
  const openHub = (flock: Flock) => flock.hub({ args: ["--allow-origin", origin()] });

  async function open(flock: Flock): Promise<Page> {
    const page = await browser.newPage();
    flock.atEnd(async () => void (await page.close()));
    const problems: string[] = [];
    page.on("pageerror", (error) => problems.push(String(error)));
    flock.atEnd(() => expect(problems).toEqual([]));
    await page.goto(`${origin()}/`);
    await page.waitForFunction("window.flockwork !== undefined");
    return page;
  }

  /** A page that joins as computing node; resolves with its id. */
  function joinAsNode(page: Page, hub: string): Promise<string> {
    return page.evaluate(async (hub) => {
      const { ComputingNode } = (window as unknown as { flockwork: typeof flockwork }).flockwork;
      const node = await ComputingNode.join({
        hub,
        name: "tab",
        services: {
          upper: (job) => job.text().toUpperCase(),
          echo: (job) => job.value(),
          neverFirst: () => new Promise(() => undefined),
        },
      });
      return node.id;
    }, hub);
  }

  test("of an origin that was not allowed reaches no hub, by WebSocket or fetch", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const [closed, allowing] = [await flock.hub({ ephemeral: true }), await openHub(flock)];
    const page = await open(flock);
    const reaches = (hub: string) =>
      page.evaluate(async (hub) => {
        const socket = new WebSocket(hub);
        const opened = await new Promise((tell) => {
          socket.onopen = () => tell(true);
          socket.onerror = () => tell(false);
        });
        socket.close();
        const read = (mode: RequestMode) =>
          fetch(`${hub.replace("ws", "http")}/api/jobs`, { mode }).then(
            async (response) => (await response.text()).length > 0,
            () => false,
          );
        return [opened, await read("cors"), await read("no-cors")];
      }, hub);
    expect(await reaches(closed.url)).toEqual([false, false, false]);
    expect((await reaches(allowing.url))[0]).toBe(true);
  });

  test("answers jobs as a computing node", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await openHub(flock);
    const page = await open(flock);
    const id = await joinAsNode(page, hub.url);
    expect(id).toMatch(/^tab(\.[0-9a-f]{2}){4}$/);
    const main = await flock.main(hub.url);
    const one = await main.request("upper", "from a page");
    expect([one.text(), one.node]).toEqual(["FROM A PAGE", id]);
    let solved = 0;
    for await (const result of main.submit(
      "upper",
      Array.from({ length: 2000 }, (_, i) => `job ${i}`),
    )) {
      expect(result.ok && result.text()).toBe(`JOB ${result.index}`);
      solved++;
    }
    expect(solved).toBe(2000);
    const large = new Uint8Array(2_000_003).map((_, i) => i & 255);
    expect(Buffer.compare((await main.request("echo", large)).bytes(), large)).toBe(0);
  });

  test("sends jobs as a main node", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await openHub(flock);
    await flock.worker(hub.url, { services: ["upper"] });
    const page = await open(flock);
    const seen = await page.evaluate(async (hub) => {
      const { MainNode, JobError } = (window as unknown as { flockwork: typeof flockwork }).flockwork;
      const main = await MainNode.join({ hub, name: "tab" });
      const texts: string[] = [];
      for await (const result of main.submit("upper", ["a", "b", "c"]).inOrder())
        texts.push(result.ok ? result.text() : result.error.message);
      const one = (await main.request("upper", "one")).text();
      const late = await main.request("nobody", "x", { deadlineMs: 50 }).catch((error: unknown) => error);
      await main.close();
      return { texts, one, late: late instanceof JobError ? late.code : String(late), state: main.state };
    }, hub.url);
    expect(seen).toEqual({ texts: ["A", "B", "C"], one: "ONE", late: "deadline", state: "stopped" });
  });

  test("that is closed in mid job has its job run elsewhere", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await openHub(flock);
    const page = await open(flock);
    await joinAsNode(page, hub.url);
    const main = await flock.main(hub.url);
    const job = main.request("neverFirst", "x");
    await until(
      "the page runs it",
      () => hub.jobs(),
      ({ running }) => running === 1,
    );
    const worker = await flock.worker(hub.url, { services: ["neverFirst"] });
    await page.close();
    const solution = await job;
    expect([solution.text(), solution.node]).toEqual(["X", await worker.joined()]);
    await until(
      "nobody waits for the page",
      () => hub.nodes(),
      (nodes) => nodes.every(({ id, state }) => !id.startsWith("tab") || state !== "running"),
    );
  });
});
