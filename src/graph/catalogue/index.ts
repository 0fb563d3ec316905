// The catalogue: every row by every name it goes by, from the family files. Installs the methods of Expression.
import { Expression } from "../expression.js";
import type { Maker, NodeRow, Operator, Row } from "../row.js";
import { castRow, constantRow, dimensionRow, inputRow } from "../source.js";
import * as compare from "./compare.js";
import * as attention from "./attention.js";
import * as conv from "./conv.js";
import * as einsum from "./einsum.js";
import * as flow from "./flow.js";
import * as host from "./host.js";
import * as norm from "./norm.js";
import * as pooling from "./pooling.js";
import * as random from "./random.js";
import * as sorting from "./sorting.js";
import * as stats from "./stats.js";
import * as elementwise from "./elementwise.js";
import * as indexing from "./indexing.js";
import * as linear from "./linear.js";
import * as loss from "./loss.js";
import * as nn from "./nn.js";
import * as reduce from "./reduce.js";
import * as shaping from "./shaping.js";

/** The modules whose exports are rows. methods.ts names the same for the types. */
const modules = [
  elementwise,
  compare,
  reduce,
  stats,
  sorting,
  shaping,
  indexing,
  linear,
  einsum,
  conv,
  pooling,
  nn,
  norm,
  attention,
  loss,
  random,
  host,
  flow,
];

/** One row of the table: the row, the names it goes by (its own first), and the function. */
export interface Entry {
  readonly row: Row;
  readonly names: readonly string[];
  readonly method: boolean;
  readonly call: (...args: never[]) => unknown;
}

type AnyOperator = Operator<(...args: never[]) => unknown> | Maker<(...args: never[]) => unknown>;

function read(): Entry[] {
  const byRow = new Map<Row, { names: string[]; call: AnyOperator }>();
  for (const module of modules)
    for (const [name, value] of Object.entries(module) as [string, unknown][]) {
      if (typeof value !== "function" || !("row" in value)) continue;
      const call = value as AnyOperator;
      const entry = byRow.get(call.row);
      if (entry) entry.names.push(name);
      else byRow.set(call.row, { names: [name], call });
    }
  return [...byRow].map(([row, { names, call }]) => ({
    row,
    names: [row.name, ...names.filter((name) => name !== row.name).sort()],
    method: call.method,
    call,
  }));
}

/** Every row that people call. */
export const catalogue: readonly Entry[] = read();

/** Rows that nodes of a graph can have, by name. */
export const nodeRows: ReadonlyMap<string, NodeRow> = new Map(
  [...catalogue.map(({ row }) => row), castRow, constantRow, dimensionRow, inputRow].flatMap((row) =>
    row.kind === "composition" ? [] : [[row.name, row] as const],
  ),
);

/** Gives Expression its methods. Called by whatever makes the first expression, so that no bundler drops it. */
export function install(): void {
  for (const { names, method, call } of catalogue)
    if (method)
      for (const name of names)
        Object.defineProperty(Expression.prototype, name, {
          configurable: true,
          value: function (this: Expression, ...rest: never[]) {
            return (call as (...args: unknown[]) => unknown)(this, ...rest);
          },
        });
}
