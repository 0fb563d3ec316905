// The error that building, checking or loading a graph throws. Its message names the operator, what it got, and what would fit.

/** A graph that cannot be: `code` is stable (`bad_argument` for a caller's mistake, `limit`, `bad_model`). */
export class GraphError extends Error {
  constructor(
    message: string,
    readonly code: "bad_argument" | "bad_model" | "limit" | "unsupported" | "graph_failed" = "bad_argument",
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.name = "GraphError";
  }
}
