// What the page and its node's thread say to each other.
import type { Figures } from "./benchmark.js";

export interface JoinOrder {
  readonly do: "join";
  readonly hub: string;
  readonly token: string | undefined;
  readonly slots: number;
  readonly labels: readonly string[];
  /** Known from an earlier visit; absent: it is measured first. */
  readonly figures: Figures | undefined;
}

export type ToWorker = JoinOrder | { readonly do: "pause" | "resume" | "leave" };

export type FromWorker =
  | { readonly is: "figures"; readonly figures: Figures }
  | { readonly is: "joined"; readonly id: string }
  | { readonly is: "up" }
  | { readonly is: "down"; readonly reason: string }
  /** No hub answers; it goes on trying. */
  | { readonly is: "waiting" }
  | { readonly is: "notice"; readonly code: string; readonly message: string }
  | { readonly is: "tally"; readonly answered: number; readonly running: number; readonly doing: string }
  | { readonly is: "refused"; readonly code: string; readonly message: string }
  | { readonly is: "left" };
