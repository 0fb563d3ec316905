// Starts the engine of a page's worker: WebAssembly with one thread, or WebGPU where the device has an adapter. Each build is fetched only when it is used.
import { FlockworkError } from "../../ids/index.js";
import { DTYPES, type DType } from "../../tensor/index.js";
import type { Engine } from "../engine.js";
import { ortEngine, type OrtApi } from "../ort.js";
import type { EngineFacts } from "../slot.js";
import type { Served } from "./serve.js";
import { adapterHere, type AdapterInfo } from "./adapter.js";
import { expectComputesRight, withFallback } from "./webgpu-engine.js";

export interface PageEngineOptions {
  /** `wasm` or `webgpu`; where nothing is said `wasm`, which computes the same everywhere. */
  readonly provider?: string;
  /** Where the runtime's .wasm and .mjs files are: a folder's URL with a slash at its end. Absent: beside its script. */
  readonly wasmPaths?: string;
}

/** The runtime's builds: `jspi` and `asyncify` have WebGPU, by the two ways in which WebAssembly waits for it. */
export type Build = "wasm" | "jspi" | "asyncify";

/** For bundlers: the URL of each build's .wasm file, whose script is bundled. */
export type BuildFiles = Readonly<Record<Build, string>>;

type Ort = OrtApi & typeof import("onnxruntime-web/wasm");

const BUILDS: { readonly [build in Build]: () => Promise<Ort> } = {
  wasm: () => import("onnxruntime-web/wasm"),
  jspi: () => import("onnxruntime-web/jspi"),
  asyncify: () => import("onnxruntime-web/webgpu"),
};

/** `device`: what a person would call it. Throws a FlockworkError where there is no such provider here. */
export async function startPageEngine(
  { provider = "wasm", wasmPaths }: PageEngineOptions,
  files?: BuildFiles,
  device = deviceName(),
): Promise<Served> {
  const open = async (build: Build): Promise<[Engine, Ort]> => {
    const ort = await BUILDS[build]();
    // More need a page that is cross-origin isolated, and slots are better used than threads.
    ort.env.wasm.numThreads = 1;
    if (files !== undefined) ort.env.wasm.wasmPaths = { wasm: files[build] };
    else if (wasmPaths !== undefined) ort.env.wasm.wasmPaths = wasmPaths;
    const engine = ortEngine("onnxruntime-web", ort.env.versions.web ?? "", ort, {
      executionProviders: [build === "wasm" ? "wasm" : "webgpu"],
      // What fails is thrown; it need not stand on the screen as well.
      logSeverityLevel: 4,
    });
    return [engine, ort];
  };
  if (provider === "wasm") {
    const [engine] = await open("wasm");
    // WebAssembly computes the same bits on every processor.
    return { engine, facts: factsOf(engine, provider, "wasm", device) };
  }
  if (provider !== "webgpu")
    throw new FlockworkError("bad_argument", `pages have no provider "${provider}"; they have wasm, webgpu`);
  const adapter = await expectAdapter();
  // The smaller and quicker of the two, which not every browser has.
  const [gpu, ort] = await open("Suspending" in WebAssembly ? "jspi" : "asyncify");
  let wasm: Promise<Engine> | undefined;
  const engine = withFallback(gpu, () => (wasm ??= open("wasm").then(([opened]) => opened)));
  await expectComputesRight(gpu);
  return {
    engine,
    facts: factsOf(engine, provider, `webgpu ${adapter.words}`, `${device}, ${adapter.words}`),
    lost: lossOf(ort),
  };
}

function factsOf({ name, version }: Engine, provider: string, cpu: string, device: string): EngineFacts {
  return {
    name,
    version,
    provider,
    threads: 1,
    cpu: cpu.slice(0, 128),
    device: device.slice(0, 128),
    dtypes: Object.keys(DTYPES) as DType[],
  };
}

async function expectAdapter(): Promise<AdapterInfo> {
  const adapter = await adapterHere();
  if (adapter === undefined)
    throw new FlockworkError(
      "bad_argument",
      "gpu" in navigator
        ? `WebGPU finds no adapter on this device; use the provider "wasm"`
        : `this page has no WebGPU: it needs https:// or localhost, and a browser that has it; use the provider "wasm"`,
    );
  return adapter;
}

/** The runtime has made its device with the first session. */
async function lossOf({ env }: Ort): Promise<string> {
  const device = (await (env.webgpu.device as unknown)) as {
    readonly lost: Promise<{ readonly reason?: string; readonly message: string }>;
  };
  const { reason = "", message } = await device.lost;
  return message || reason || "it gave no reason";
}

function deviceName(): string {
  const { userAgentData, userAgent } = navigator as Navigator & { userAgentData?: { platform: string } };
  return userAgentData?.platform ?? /\(([^;)]*)/.exec(userAgent)?.[1] ?? "browser";
}
