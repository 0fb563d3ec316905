// What the page and its node's thread say to each other.
import type { EngineFigures } from "../../src/engine/slot.js";

/** What was measured of an engine, kept for the next visit. */
export interface KeptFigures {
  readonly key: string;
  readonly figures: EngineFigures;
}

export interface JoinOrder {
  readonly do: "join";
  readonly hub: string;
  readonly token: string | undefined;
  /** Tasks at the same time that the device may run: tabs of one browser share them. */
  readonly slots: number;
  /** Whether it computes on the graphics card; undefined: where there is a real one. */
  readonly graphics: boolean | undefined;
  readonly labels: readonly string[];
  /** Of an earlier visit; absent, or of another engine: it is measured first. */
  readonly figures: KeptFigures | undefined;
}

export type ToWorker =
  | JoinOrder
  | { readonly do: "slots"; readonly slots: number }
  | { readonly do: "pause" | "resume" | "leave" };

export type FromWorker =
  | { readonly is: "figures"; readonly kept: KeptFigures }
  /** What computes programs here. */
  | { readonly is: "computes"; readonly provider: string }
  /** The graphics card is gone; what it was computing, the processor does. */
  | { readonly is: "card-lost"; readonly why: string }
  /** It joins without an engine. */
  | { readonly is: "no-engine"; readonly why: string }
  | { readonly is: "joined"; readonly id: string }
  | { readonly is: "up" }
  /** `slept`: milliseconds that this thread stood still before, which broke the link; 0: it did not. */
  | { readonly is: "down"; readonly reason: string; readonly slept: number }
  /** No hub answers; it goes on trying. */
  | { readonly is: "waiting" }
  /** So many tabs of this browser take part, and so many tasks run in this one at the same time. */
  | { readonly is: "share"; readonly tabs: number; readonly slots: number }
  | { readonly is: "notice"; readonly code: string; readonly message: string }
  /** A task came to nothing here. */
  | { readonly is: "failed"; readonly code: string; readonly message: string }
  | { readonly is: "tally"; readonly answered: number; readonly running: number; readonly doing: string }
  | { readonly is: "refused"; readonly code: string; readonly message: string }
  | { readonly is: "left" };
