// Where host operators find their linear algebra. It is loaded on demand, so that a page that needs none does not carry it.
import { GraphError } from "./error.js";
import type * as Linalg from "./linalg.js";

let loaded: typeof Linalg | undefined;

/** Loads what host operators compute with. Whoever runs one waits for this first; engines do so by themselves. */
export async function loadHostKernels(): Promise<void> {
  loaded ??= await import("./linalg.js");
}

/** The linear algebra of host operators. Throws a GraphError unless it is loaded. */
export function linalg(who: string): typeof Linalg {
  if (!loaded)
    throw new GraphError(
      `${who}: host operators are not loaded here; await loadHostKernels() before evaluate()`,
      "unsupported",
    );
  return loaded;
}
