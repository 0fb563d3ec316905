// Programs in engine workers of a real Chromium page: run, killed, refused, measured.
import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium, type Page } from "playwright-core";
import { describe, expect, it, onTestFinished } from "vitest";
import type * as engine from "../../dist/engine/index.js";
import type * as graph from "../../dist/graph/index.js";

const DIST = fileURLToPath(new URL("../../dist/", import.meta.url));
const ORT = fileURLToPath(new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url));

function chromiumPath(): string | undefined {
  for (const name of ["chromium", "chromium-browser", "google-chrome"])
    try {
      return execFileSync("which", [name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
      continue;
    }
  return undefined;
}

const executablePath = chromiumPath();

/** What the page's script leaves for the test. */
interface PageWindow {
  engine: typeof engine;
  graph: typeof graph;
  open(options?: object): Promise<engine.EngineSlots>;
}

const PAGE = `
  import * as engine from "./engine/index.js";
  import * as graph from "./graph/index.js";
  const start = () => new Worker("/worker/engine-worker.js", { type: "module" });
  Object.assign(window, { engine, graph, open: (options = {}) =>
    engine.workerSlots({ slots: 1, start, wasmPaths: location.origin + "/ort/", ...options }) });
`;

/** The files of the page by their paths, as a bundler makes them. */
async function files(): Promise<Map<string, Uint8Array>> {
  const { outputFiles } = await build({
    stdin: { contents: PAGE, resolveDir: DIST, sourcefile: "page.js" },
    bundle: true,
    platform: "browser",
    format: "esm",
    outdir: "/",
    write: false,
    logLevel: "silent",
  });
  const worker = await build({
    entryPoints: [join(DIST, "engine/worker/engine-worker.js")],
    bundle: true,
    splitting: true,
    platform: "browser",
    format: "esm",
    // Without the runtime's own loader inside: it is fetched from where wasmPaths says.
    conditions: ["onnxruntime-web-use-extern-wasm"],
    outdir: "/worker",
    write: false,
    logLevel: "silent",
  });
  return new Map([
    ["/page.js", outputFiles[0]!.contents],
    ...worker.outputFiles.map(({ path, contents }) => [path, contents] as const),
  ]);
}

const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
};

/** A page whose window holds `open`; and the names of the runtime's files that were fetched. */
async function openPage(): Promise<{ page: Page; fetched: string[] }> {
  const made = await files();
  const fetched: string[] = [];
  const server = createServer(({ url = "/" }, response) => {
    const type = TYPES[url.split(".").pop()!] ?? "text/html";
    const body = url.startsWith("/ort/")
      ? readFileSync(join(ORT, basename(url)))
      : (made.get(url) ?? '<!doctype html><script type="module" src="/page.js"></script>');
    if (url.startsWith("/ort/")) fetched.push(basename(url));
    response.writeHead(200, { "content-type": type }).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  onTestFinished(() => void server.close());
  const profile = mkdtempSync(join(tmpdir(), "engine-page-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: executablePath!,
    headless: true,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
  onTestFinished(async () => {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  });
  const page = await context.newPage();
  await page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  await page.waitForFunction(() => "open" in window);
  return { page, fetched };
}

describe.skipIf(executablePath === undefined)("engine workers of a page", () => {
  it("run programs, are killed in the middle of one, and go on", async () => {
    const { page, fetched } = await openPage();
    const seen = await page.evaluate(async () => {
      const { graph, open } = window as unknown as PageWindow;
      const slots = await open();
      const source = ({ hash, model }: graph.Program) => ({ hash, model: () => Promise.resolve(model) });
      const add = source(
        graph.program({
          outputs: { y: graph.input("x", "float32", [2]).add(1), i: graph.input("b", "int64", ["n"]) },
        }),
      );
      const run = async (): Promise<string> => {
        const { outputs } = await slots.run(add, [graph.toTensor([1, 2]), graph.toTensor([5n, -6n])]).settled;
        return outputs.join("; ");
      };
      const first = await run();
      const inverse = source(graph.program({ outputs: { y: graph.input("a", "float64", [1, 1]).inv() } }));
      const host = await slots.run(inverse, [graph.toTensor(Float64Array.of(4), { shape: [1, 1] })]).settled;
      const refused = await slots
        .run(add, [graph.toTensor([1]), graph.toTensor([1n])])
        .settled.catch((error: engine.EngineError) => `${error.code} ${error.message}`);
      // Minutes of work; the worker's start tells that it is there when it is killed.
      let y = graph.input("x", "float32", [1024, 1024]);
      for (let i = 0; i < 1000; i++) y = y.matmul(y);
      let asked = false;
      const long = graph.program({ outputs: { y } });
      const hung = slots.run(
        { hash: long.hash, model: () => ((asked = true), Promise.resolve(long.model)) },
        [graph.toTensor(new Float32Array(2 ** 20), { shape: [1024, 1024] })],
      );
      while (!asked) await new Promise((resolve) => setTimeout(resolve, 10));
      hung.kill();
      const again = await run();
      await slots.close();
      return { facts: slots.facts, first, host: host.outputs.join("; "), refused, again };
    });
    expect(seen.facts).toMatchObject({ name: "onnxruntime-web", provider: "wasm", threads: 1, cpu: "wasm" });
    expect(seen.first).toBe("Tensor float32 [2] 2 3; Tensor int64 [2] 5 -6");
    expect(seen.host).toBe("Tensor float64 [1,1] 0.25");
    expect(seen.refused).toMatch(/^program_refused .*float32 \[2\]/);
    expect(seen.again).toBe(seen.first);
    expect(new Set(fetched)).toEqual(new Set(["ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"]));
  });

  it("say that there is no WebGPU, and measure what there is", async () => {
    const { page, fetched } = await openPage();
    const said = await page.evaluate(async () => {
      const { open } = window as unknown as PageWindow;
      return open({ provider: "webgpu" }).then(
        () => "it started",
        (error: Error) => error.message,
      );
    });
    expect(said).toMatch(/WebGPU.*use the provider "wasm"/);
    expect(fetched).toEqual([]);
    const figures = await page.evaluate(async () =>
      (await (window as unknown as PageWindow).open()).benchmark(),
    );
    for (const figure of Object.values(figures)) expect(figure).toBeGreaterThan(0);
  });
});
