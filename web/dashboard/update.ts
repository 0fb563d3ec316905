// An update of /api/events, as docs/events.md describes it.
export interface NodeRow {
  readonly number: number;
  readonly id: string;
  readonly kind: string;
  readonly domain: string;
  readonly software: string;
  readonly slots: number;
  readonly services: readonly string[];
  readonly labels: readonly string[];
  readonly provider?: string;
  readonly device?: string;
  readonly joinedAt: string;
}

export interface JobSetRow {
  readonly set: number;
  readonly session: string;
  readonly domain: string;
  readonly service: string;
  readonly client: string | null;
  readonly firstAt: string;
}

export interface MishapRow {
  readonly number: number;
  readonly code: string;
  readonly message: string;
  readonly node?: string;
  readonly client?: string;
  readonly service?: string;
  readonly firstAt: number;
  readonly at: number;
  readonly times: number;
}

export interface GraphRow {
  readonly id: string;
  readonly name: string;
  readonly client: string | null;
  readonly domain: string;
  readonly startedAt: string;
  readonly tasks: {
    readonly total: number;
    readonly done: number;
    readonly running: number;
    readonly failed: number;
  };
  readonly bytes: number;
}

/** A task of a graph, as /api/graphs/ID has it. */
export interface GroupRow {
  readonly number: number;
  readonly state: "waiting" | "running" | "done" | "failed";
  readonly node: string;
  readonly ms: number;
  readonly at: number;
  readonly program: string;
  readonly flops: number;
  readonly bytes: number;
  readonly after: readonly number[];
}

export interface GraphDetail extends GraphRow {
  readonly groups: readonly GroupRow[];
  readonly left: number;
}

export type Counts = { readonly [name: string]: number | boolean };

export interface TaskColumns {
  readonly node: readonly number[];
  readonly service: readonly number[];
  readonly end: readonly number[];
  readonly ms: readonly number[];
  readonly ok: readonly number[];
  readonly skipped: number;
}

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
