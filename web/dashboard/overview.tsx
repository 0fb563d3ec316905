// Everything at a glance.
import { useMemo } from "preact/hooks";
import { bytes, count } from "../parts/numbers.js";
import type { Board } from "./board.js";
import { Charts } from "./charts.js";
import { ErrorTable } from "./errors.js";
import { Figures } from "./figures.js";
import { JobTable } from "./jobs.js";
import { NodeTable } from "./nodes.js";
import { BoardSource } from "./timeline-source.js";
import { Timeline } from "./timeline.js";

export function Overview({ board }: { readonly board: Board }) {
  const { counts } = board;
  const source = useMemo(() => new BoardSource(board), [board]);
  const number = (name: string) => Number(counts[name] ?? 0);
  const shown = (name: string, label: string, bad = false) => ({
    name: label,
    figure: name,
    value: count(number(name)),
    bad: bad && number(name) > 0,
  });
  return (
    <>
      <div class="head">
        <h1>The flock now</h1>
        <span class="soft">
          hub {board.hub.id} · {board.hub.software}
        </span>
      </div>
      {counts["storageOk"] === false && (
        <p class="note bad" role="alert">
          The hub's disk takes no writes: nothing new is given to nodes until it does.
        </p>
      )}
      <Figures
        figures={[
          shown("nodes", "nodes here"),
          shown("slots", "slots"),
          shown("waiting", "jobs waiting"),
          shown("running", "jobs at nodes"),
          shown("solved", "jobs solved"),
          shown("unsolved", "jobs failed", true),
          { name: "came to the hub", figure: "bytesIn", value: bytes(number("bytesIn")) },
          { name: "left the hub", figure: "bytesOut", value: bytes(number("bytesOut")) },
        ]}
      />
      <Charts board={board} />
      <section class="card">
        <h2>Tasks, node by node</h2>
        <Timeline source={source} />
      </section>
      <section class="card">
        <div class="head">
          <h2>Nodes</h2>
        </div>
        <NodeTable board={board} nodes={[...board.nodes.values()]} />
      </section>
      <section class="card">
        <div class="head">
          <h2>Jobs by session and service</h2>
        </div>
        <JobTable sets={[...board.jobs.values()]} />
      </section>
      <section class="card">
        <div class="head">
          <h2>What went wrong</h2>
        </div>
        <ErrorTable board={board} errors={board.errors} />
      </section>
    </>
  );
}
