// What went wrong, and who caused it.
import { ago, count } from "../parts/numbers.js";
import { Table, type Column } from "../parts/table.js";
import type { Board } from "./board.js";
import { pathTo } from "./route.js";
import type { MishapRow } from "./update.js";

export function Errors({ board }: { readonly board: Board }) {
  return (
    <>
      <div class="head">
        <h1>What went wrong</h1>
        <span class="soft">
          {count(Number(board.counts["attemptsFailed"] ?? 0))} attempts failed,{" "}
          {count(Number(board.counts["unsolved"] ?? 0))} jobs did,{" "}
          {count(Number(board.counts["badMessages"] ?? 0))} messages did not fit
        </span>
      </div>
      <section class="card">
        <ErrorTable board={board} errors={board.errors} tall />
      </section>
    </>
  );
}

interface ErrorTableProps {
  readonly board: Board;
  readonly errors: readonly MishapRow[];
  readonly tall?: boolean;
}

export function ErrorTable({ board, errors, tall }: ErrorTableProps) {
  const now = board.hub.epoch + board.clock(performance.now());
  const columns: readonly Column<MishapRow>[] = [
    { name: "When", number: true, by: ({ at }) => at, cell: ({ at }) => ago(now - at) },
    { name: "Code", by: ({ code }) => code, cell: ({ code }) => <code>{code}</code> },
    {
      name: "Where",
      by: ({ node = "" }) => node,
      cell: ({ node }) => (node === undefined ? "–" : <a href={pathTo("nodes", node)}>{node}</a>),
    },
    { name: "Whose", by: ({ client = "" }) => client, cell: ({ client = "–" }) => client },
    { name: "Service", by: ({ service = "" }) => service, cell: ({ service = "–" }) => service },
    { name: "Times", number: true, by: ({ times }) => times, cell: ({ times }) => count(times) },
    { name: "What", cell: ({ message }) => <span title={message}>{message}</span> },
  ];
  return (
    <Table
      label="Errors"
      rows={errors}
      columns={columns}
      keyOf={({ number }) => number}
      empty="Nothing has gone wrong."
      tall={tall ?? false}
      sorted={[0, true]}
    />
  );
}
