// The native engine: onnxruntime-node, an optional dependency. Loaded only when asked for.
import { FlockworkError } from "../ids/index.js";
import type { Engine } from "./engine.js";
import { ortEngine } from "./ort.js";

export interface OrtNodeOptions {
  /** Threads inside one operator; one by default, since two engines of one thread beat one of two. */
  readonly threads?: number;
  /** Execution provider: `cpu` by default; `cuda`, `webgpu`, ... where the installed runtime has it. */
  readonly provider?: string;
}

/** The engine of `onnxruntime-node`. Throws a FlockworkError where it is not installed, or has not the provider. */
export async function ortNodeEngine({ threads = 1, provider = "cpu" }: OrtNodeOptions = {}): Promise<Engine> {
  const ort = await installed();
  const here = ort.listSupportedBackends().map(({ name }) => name);
  if (!here.includes(provider))
    throw new FlockworkError(
      "bad_argument",
      `onnxruntime-node has no provider "${provider}" here; it has ${here.join(", ")}`,
    );
  return ortEngine("onnxruntime-node", ort.env.versions.node ?? "", ort, {
    executionProviders: [provider],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // What fails is thrown; it need not stand on the screen as well.
    logSeverityLevel: 4,
  });
}

async function installed(): Promise<typeof import("onnxruntime-node")> {
  try {
    return await import("onnxruntime-node");
  } catch (cause) {
    throw new FlockworkError(
      "bad_argument",
      "onnxruntime-node is not installed or cannot start here; install it, or use onnxruntime-web",
      { cause },
    );
  }
}
