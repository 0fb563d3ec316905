// Graphs: all of them, and the picture of one.
import { bytes, count } from "../parts/numbers.js";
import { Table, type Column } from "../parts/table.js";
import type { Board } from "./board.js";
import type { GraphRow } from "./update.js";

const COLUMNS: readonly Column<GraphRow>[] = [
  { name: "Graph", by: ({ name, id }) => name || id, cell: ({ name, id }) => name || id.slice(0, 8) },
  { name: "Main node", by: ({ client }) => client ?? "", cell: ({ client }) => client ?? "away" },
  { name: "Tasks", number: true, by: ({ tasks }) => tasks.total, cell: ({ tasks }) => count(tasks.total) },
  { name: "Done", number: true, by: ({ tasks }) => tasks.done, cell: ({ tasks }) => count(tasks.done) },
  {
    name: "Running",
    number: true,
    by: ({ tasks }) => tasks.running,
    cell: ({ tasks }) => count(tasks.running),
  },
  { name: "Failed", number: true, by: ({ tasks }) => tasks.failed, cell: ({ tasks }) => count(tasks.failed) },
  { name: "Values", number: true, by: (graph) => graph.bytes, cell: (graph) => bytes(graph.bytes) },
];

export function Graphs({ board }: { readonly board: Board; readonly one: string | undefined }) {
  return (
    <>
      <div class="head">
        <h1>Graphs</h1>
      </div>
      <section class="card">
        <Table
          label="Graphs"
          rows={board.graphs ?? []}
          columns={COLUMNS}
          keyOf={({ id }) => id}
          empty={board.graphs === undefined ? "This hub computes no graphs." : "No graph is being computed."}
          tall
        />
      </section>
    </>
  );
}
