// Graphs: all of them, and one.
import { useEffect, useMemo, useState } from "preact/hooks";
import type { Access } from "../hub/access.js";
import { ago, bytes, compact, count, duration } from "../parts/numbers.js";
import { Table, type Column } from "../parts/table.js";
import type { Board } from "./board.js";
import { Figures } from "./figures.js";
import { GraphPicture } from "./graph-picture.js";
import { pathTo } from "./route.js";
import { GraphSource } from "./timeline-source.js";
import { Timeline } from "./timeline.js";
import type { GraphDetail, GraphRow, GroupRow } from "./update.js";

/** A graph in sight is asked for this often. */
const EVERY_MS = 1000;

const COLUMNS: readonly Column<GraphRow>[] = [
  {
    name: "Graph",
    by: ({ id }) => id,
    cell: ({ id }) => <a href={pathTo("graphs", id)}>{id.slice(0, 12)}</a>,
  },
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
  {
    name: "Since",
    by: ({ startedAt }) => startedAt,
    cell: ({ startedAt }) => ago(Date.now() - Date.parse(startedAt)),
  },
];

export interface GraphsProps {
  readonly board: Board;
  readonly access: Access;
  readonly one: string | undefined;
}

export function Graphs({ board, access, one }: GraphsProps) {
  if (one !== undefined) return <OneGraph board={board} access={access} id={one} />;
  return (
    <>
      <div class="head">
        <h1>Graphs</h1>
        <span class="soft">
          {count(Number(board.counts["computed"] ?? 0))} of their tasks computed so far
        </span>
      </div>
      <section class="card">
        <Table
          label="Graphs"
          rows={board.graphs}
          columns={COLUMNS}
          keyOf={({ id }) => id}
          empty="No graph is being computed."
          tall
          sorted={[7, true]}
        />
      </section>
    </>
  );
}

const GROUP_COLUMNS: readonly Column<GroupRow>[] = [
  { name: "Task", number: true, by: ({ number }) => number, cell: ({ number }) => number },
  { name: "State", by: ({ state }) => state, cell: ({ state }) => state },
  {
    name: "Node",
    by: ({ node }) => node,
    cell: ({ node }) => (node === "" ? "–" : <a href={pathTo("nodes", node)}>{node}</a>),
  },
  { name: "Took", number: true, by: ({ ms }) => ms, cell: ({ ms }) => (ms > 0 ? duration(ms) : "–") },
  { name: "Operations", number: true, by: ({ flops }) => flops, cell: ({ flops }) => compact(flops) },
  { name: "Values", number: true, by: (group) => group.bytes, cell: (group) => bytes(group.bytes) },
  { name: "Program", by: ({ program }) => program, cell: ({ program }) => <code>{program}</code> },
  { name: "After", cell: ({ after }) => after.slice(0, 8).join(" ") + (after.length > 8 ? " …" : "") },
];

function OneGraph({ board, access, id }: { board: Board; access: Access; id: string }) {
  const [graph, setGraph] = useState<GraphDetail | undefined>(undefined);
  const [gone, setGone] = useState("");
  const source = useMemo(() => new GraphSource(board), [board, id]);
  useEffect(() => {
    let over = false;
    let timer: ReturnType<typeof setTimeout>;
    const ask = async () => {
      try {
        const known = await access.json<GraphDetail>(`/api/graphs/${id}`);
        if (over) return;
        source.take(known.groups);
        setGraph(known);
        setGone("");
      } catch (error) {
        if (!over) setGone((error as Error).message);
      }
      if (!over) timer = setTimeout(() => void ask(), EVERY_MS);
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [access, id, source]);
  if (graph === undefined)
    return (
      <p class="empty">
        {gone || "One moment."} <a href={pathTo("graphs")}>All graphs</a>
      </p>
    );
  const { tasks } = graph;
  return (
    <>
      <div class="head">
        <h1>Graph {id.slice(0, 12)}</h1>
        <span class="soft">asked by {graph.client ?? "a main node that is away"}</span>
      </div>
      {gone !== "" && <p class="note">It is over: what you see is how it stood last.</p>}
      <Figures
        figures={[
          { name: "tasks", value: count(tasks.total), figure: "graph-total" },
          { name: "done", value: count(tasks.done), figure: "graph-done" },
          { name: "running", value: count(tasks.running), figure: "graph-running" },
          { name: "failed", value: count(tasks.failed), figure: "graph-failed", bad: tasks.failed > 0 },
          { name: "in values", value: bytes(graph.bytes) },
        ]}
      />
      {graph.groups.length > 0 && (
        <section class="card">
          <h2>Its picture</h2>
          <GraphPicture board={board} groups={graph.groups} left={graph.left} />
        </section>
      )}
      {graph.groups.some(({ at }) => at > 0) && (
        <section class="card">
          <h2>Its tasks, node by node</h2>
          <Timeline source={source} />
        </section>
      )}
      <section class="card">
        <div class="head">
          <h2>Its tasks</h2>
        </div>
        <Table
          label="Tasks of the graph"
          rows={graph.groups}
          columns={GROUP_COLUMNS}
          keyOf={({ number }) => number}
          empty="None of its tasks is kept: their values are all released."
          sorted={[0, true]}
        />
      </section>
    </>
  );
}
