// An update of /api/events, as docs/events.md describes it. Its rows are the hub's own types.
import type { JobSetRow } from "../../src/hub/events/job-sets.js";
import type { MishapRow } from "../../src/hub/events/mishaps.js";
import type { NodeRow } from "../../src/hub/events/node-rows.js";
import type { TaskColumns } from "../../src/hub/events/task-log.js";
import type { GraphRow, GroupRow } from "../../src/hub/graphs/graph-view.js";

export type { GraphRow, GroupRow, JobSetRow, MishapRow, NodeRow, TaskColumns };

/** A graph with its tasks, as /api/graphs/ID has it. */
export interface GraphDetail extends GraphRow {
  readonly groups: readonly GroupRow[];
  readonly left: number;
}

export type Counts = { readonly [name: string]: number | boolean };

export interface Update {
  readonly at: number;
  readonly whole?: true;
  readonly hub?: { readonly id: string; readonly software: string; readonly epoch: number };
  readonly counts?: Counts;
  readonly services?: readonly string[];
  readonly nodes?: {
    readonly joined: readonly NodeRow[];
    readonly now: readonly (readonly (number | string)[])[];
    readonly gone: readonly number[];
  };
  readonly jobs?: {
    readonly sets: readonly JobSetRow[];
    readonly now: readonly (readonly number[])[];
    readonly gone: readonly number[];
  };
  readonly errors?: readonly MishapRow[];
  readonly tasks?: TaskColumns;
  readonly history?: {
    readonly columns?: readonly string[];
    readonly samples: readonly (readonly (number | null)[])[];
  };
  readonly graphs?: readonly GraphRow[];
}
