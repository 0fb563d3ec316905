// Starts the engine of a page's worker: WebAssembly with one thread, or WebGPU where the device has an adapter. Each build is fetched only when it is used.
import { FlockworkError } from "../../ids/index.js";
import { DTYPES, type DType } from "../../tensor/index.js";
import type { Engine } from "../engine.js";
import { ortEngine } from "../ort.js";
import type { EngineFacts } from "../slot.js";

export interface PageEngineOptions {
  /** `wasm` or `webgpu`; where nothing is said `wasm`, which computes the same everywhere. */
  readonly provider?: string;
  /** Where the runtime's .wasm and .mjs files are: a folder's URL with a slash at its end. Absent: beside its script. */
  readonly wasmPaths?: string;
}

/** Throws a FlockworkError where there is no such provider here. */
export async function startPageEngine({
  provider = "wasm",
  wasmPaths,
}: PageEngineOptions): Promise<{ engine: Engine; facts: EngineFacts }> {
  if (provider !== "wasm" && provider !== "webgpu")
    throw new FlockworkError("bad_argument", `pages have no provider "${provider}"; they have wasm, webgpu`);
  const adapter = provider === "webgpu" ? await webGpuAdapter() : undefined;
  const ort =
    provider === "webgpu" ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web/wasm");
  // More need a page that is cross-origin isolated, and slots are better used than threads.
  ort.env.wasm.numThreads = 1;
  if (wasmPaths !== undefined) ort.env.wasm.wasmPaths = wasmPaths;
  const engine = ortEngine("onnxruntime-web", ort.env.versions.web ?? "", ort, {
    executionProviders: [provider],
    // What fails is thrown; it need not stand on the screen as well.
    logSeverityLevel: 4,
  });
  const facts: EngineFacts = {
    name: engine.name,
    version: engine.version,
    provider,
    threads: 1,
    // WebAssembly computes the same bits on every processor.
    cpu: adapter ?? "wasm",
    device: deviceName(),
    dtypes: Object.keys(DTYPES) as DType[],
  };
  return { engine, facts };
}

interface Gpu {
  requestAdapter(): Promise<{ info?: { vendor?: string; architecture?: string } } | null>;
}

async function webGpuAdapter(): Promise<string> {
  const { gpu } = navigator as unknown as { gpu?: Gpu };
  const adapter = await gpu?.requestAdapter();
  if (!adapter)
    throw new FlockworkError(
      "bad_argument",
      gpu
        ? `WebGPU finds no adapter on this device; use the provider "wasm"`
        : `this page has no WebGPU: it needs https:// or localhost, and a browser that has it; use the provider "wasm"`,
    );
  const { vendor = "", architecture = "" } = adapter.info ?? {};
  return ["webgpu", vendor, architecture].filter((word) => word !== "").join(" ");
}

function deviceName(): string {
  const { userAgentData, userAgent } = navigator as Navigator & { userAgentData?: { platform: string } };
  return (userAgentData?.platform ?? /\(([^;)]*)/.exec(userAgent)?.[1] ?? "browser").slice(0, 128);
}
