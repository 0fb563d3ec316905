// A table of any length: only the rows in sight are in the page. Sorted by the column that is pressed.
import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";

export interface Column<Row> {
  readonly name: string;
  /** What it is sorted by; absent: it can not be. */
  readonly by?: (row: Row) => number | string;
  readonly number?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

export interface TableProps<Row> {
  readonly label: string;
  readonly rows: readonly Row[];
  readonly columns: readonly Column<Row>[];
  readonly keyOf: (row: Row) => string | number;
  readonly empty: ComponentChildren;
  /** As tall as the window allows. */
  readonly tall?: boolean;
  /** Column that it is sorted by at first, and whether the largest come first. */
  readonly sorted?: readonly [column: number, down: boolean];
}

/** Of a row, as design.css has it. */
const ROW = 40;
const BEYOND = 8;

export function Table<Row>({ label, rows, columns, keyOf, empty, tall, sorted }: TableProps<Row>) {
  const [[column, down], setSort] = useState<readonly [number, boolean]>(sorted ?? [-1, false]);
  const [range, setRange] = useState({ from: 0, to: 30 });
  const place = useRef<HTMLDivElement>(null);

  const look = () => {
    if (place.current === null) return;
    const { scrollTop, clientHeight } = place.current;
    const from = Math.max(0, Math.floor(scrollTop / ROW) - BEYOND);
    const to = Math.ceil((scrollTop + clientHeight) / ROW) + BEYOND;
    setRange((before) => (before.from === from && before.to === to ? before : { from, to }));
  };
  useEffect(look, [rows.length]);

  if (rows.length === 0) return <p class="empty">{empty}</p>;
  const by = columns[column]?.by;
  const ordered = by === undefined ? rows : order(rows, by, down);
  const from = Math.min(range.from, Math.max(0, rows.length - 1));
  const shown = ordered.slice(from, range.to);
  const after = Math.max(0, rows.length - range.to);
  return (
    <div
      class={tall ? "scroll tall" : "scroll"}
      ref={place}
      onScroll={look}
      tabIndex={0}
      role="region"
      aria-label={label}
    >
      <table aria-rowcount={rows.length + 1}>
        <thead>
          <tr>
            {columns.map(({ name, by: sortable, number }, i) => (
              <th
                scope="col"
                class={number ? "number" : undefined}
                aria-sort={i === column ? (down ? "descending" : "ascending") : undefined}
              >
                {sortable === undefined ? (
                  name
                ) : (
                  <button type="button" onClick={() => setSort([i, i === column ? !down : number === true])}>
                    {name}
                    <span aria-hidden="true">{i === column ? (down ? " ↓" : " ↑") : ""}</span>
                  </button>
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {from > 0 && <Spacer rows={from} columns={columns.length} />}
          {shown.map((row, i) => (
            <tr key={keyOf(row)} aria-rowindex={from + i + 2}>
              {columns.map(({ cell, number }) => (
                <td class={number ? "number" : undefined}>{cell(row)}</td>
              ))}
            </tr>
          ))}
          {after > 0 && <Spacer rows={after} columns={columns.length} />}
        </tbody>
      </table>
    </div>
  );
}

function Spacer({ rows, columns }: { readonly rows: number; readonly columns: number }) {
  return (
    <tr aria-hidden="true">
      <td class="spacer" colSpan={columns} style={{ height: `${rows * ROW}px` }} />
    </tr>
  );
}

function order<Row>(rows: readonly Row[], by: (row: Row) => number | string, down: boolean): Row[] {
  const sign = down ? -1 : 1;
  return [...rows].sort((a, b) => {
    const [x, y] = [by(a), by(b)];
    return sign * (typeof x === "string" ? x.localeCompare(String(y)) : x - Number(y));
  });
}
