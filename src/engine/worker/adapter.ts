// The graphics adapter that WebGPU finds on this device, in words.
interface Gpu {
  requestAdapter(): Promise<{ readonly info?: GpuInfo } | null>;
}

interface GpuInfo {
  readonly vendor?: string;
  readonly architecture?: string;
  readonly description?: string;
  readonly isFallbackAdapter?: boolean;
}

export interface AdapterInfo {
  /** "nvidia ampere", as far as the browser tells. */
  readonly words: string;
  /** The processor in disguise: correct, and slower than WebAssembly. */
  readonly software: boolean;
}

/** Undefined where there is no WebGPU (it needs a secure page), or no adapter. */
export async function adapterHere(): Promise<AdapterInfo | undefined> {
  const { gpu } = navigator as unknown as { gpu?: Gpu };
  const adapter = await gpu?.requestAdapter().catch(() => null);
  if (!adapter) return undefined;
  const { vendor = "", architecture = "", description = "", isFallbackAdapter = false } = adapter.info ?? {};
  const words = [vendor, architecture].filter((word) => word !== "").join(" ");
  return { words: words || description || "a graphics adapter", software: isFallbackAdapter };
}
