// Models by their hash, for as long as a graph may need them. A domain's own: a hash is no permission.
import { createHash } from "node:crypto";
import { FlockworkError } from "../../ids/index.js";
import { MAX_MODEL_BYTES, type MessageOf } from "../../wire/index.js";
import type { Graph } from "./graph.js";

interface Shelved {
  readonly model: Uint8Array;
  readonly graphs: Set<Graph>;
}

export class Programs {
  readonly #models = new Map<string, Shelved>();
  bytes = 0;

  /** Throws `too_large`, and `bad_argument` for a model that is not what its hash says. */
  add(graph: Graph, { hash, model, outputs }: MessageOf<"program">): void {
    const key = keyOf(graph.session.domain, hash);
    const known = this.#models.get(key);
    if (known === undefined) {
      if (model.length > MAX_MODEL_BYTES)
        throw new FlockworkError(
          "too_large",
          `A program of ${model.length} bytes is over the limit of ${MAX_MODEL_BYTES}; make large constants its inputs.`,
        );
      const real = createHash("sha256").update(model).digest("hex");
      if (real !== hash)
        throw new FlockworkError("bad_argument", `A program's hash is ${real}, not ${hash} as was said.`);
      // A copy: the bytes are part of a frame.
      this.#models.set(key, { model: new Uint8Array(model), graphs: new Set([graph]) });
      this.bytes += model.length;
    } else known.graphs.add(graph);
    graph.programs.set(hash, outputs);
  }

  get(domain: string, hash: string): Uint8Array | undefined {
    return this.#models.get(keyOf(domain, hash))?.model;
  }

  /** The graph is over. */
  leave(graph: Graph): void {
    for (const hash of graph.programs.keys()) {
      const key = keyOf(graph.session.domain, hash);
      const shelved = this.#models.get(key);
      shelved?.graphs.delete(graph);
      if (shelved?.graphs.size !== 0) continue;
      this.#models.delete(key);
      this.bytes -= shelved.model.length;
    }
  }
}

function keyOf(domain: string, hash: string): string {
  return `${hash} ${domain}`;
}
