// The native engine: onnxruntime-node, an optional dependency. Loaded only when asked for.
import { FlockworkError } from "../ids/index.js";
import type { Engine } from "./engine.js";
import { ortEngine } from "./ort.js";

export interface OrtNodeOptions {
  /** Threads inside one operator; one by default, since two engines of one thread beat one of two. */
  readonly threads?: number;
}

/** The engine of `onnxruntime-node`. Throws a FlockworkError where it is not installed. */
export async function ortNodeEngine({ threads = 1 }: OrtNodeOptions = {}): Promise<Engine> {
  try {
    const ort = await import("onnxruntime-node");
    return ortEngine("onnxruntime-node", ort.env.versions.node ?? "", ort, {
      intraOpNumThreads: threads,
      interOpNumThreads: 1,
      // What fails is thrown; it need not stand on the screen as well.
      logSeverityLevel: 4,
    });
  } catch (cause) {
    throw new FlockworkError(
      "bad_argument",
      "onnxruntime-node is not installed or cannot start here; install it, or use onnxruntime-web",
      { cause },
    );
  }
}
