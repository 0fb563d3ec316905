// Nodes: all of them, and one.
import { useMemo, useState } from "preact/hooks";
import { ago, bytes, count, duration } from "../parts/numbers.js";
import { Table, type Column } from "../parts/table.js";
import type { Board, Node } from "./board.js";
import { devicesOf, type Device } from "./devices.js";
import { ErrorTable } from "./errors.js";
import { Figures } from "./figures.js";
import { pathTo } from "./route.js";
import { BoardSource } from "./timeline-source.js";
import { Timeline } from "./timeline.js";

export function Nodes({ board, one }: { readonly board: Board; readonly one: string | undefined }) {
  const [words, setWords] = useState("");
  if (one !== undefined) return <OneNode board={board} id={one} />;
  const all = [...board.nodes.values()];
  const wanted = words.toLowerCase();
  const nodes = wanted === "" ? all : all.filter((node) => describe(node).toLowerCase().includes(wanted));
  return (
    <>
      <div class="head">
        <h1>Nodes</h1>
        <span class="soft">
          {count(Number(board.counts["nodes"] ?? 0))} here, {devicesHere(all)}
        </span>
      </div>
      <section class="card">
        <div class="tools">
          <input
            type="search"
            placeholder="name, device, service, state"
            aria-label="Show nodes with these words"
            value={words}
            onInput={({ currentTarget }) => setWords(currentTarget.value)}
          />
        </div>
        <NodeTable board={board} nodes={nodes} tall />
      </section>
    </>
  );
}

function devicesHere(nodes: readonly Node[]): string {
  const { length } = devicesOf(nodes).filter(({ state }) => state === "running");
  return length === 1 ? "1 device" : `${count(length)} devices`;
}

/** What it is, in few words. */
export function deviceOf({ device, labels, software, kind }: Node): string {
  if (device !== undefined) return device;
  const named = labels.find((label) => label !== "browser" && !label.startsWith("device:"));
  if (labels.includes("browser")) return named ?? "a browser";
  return software.includes("browser") ? "a page" : kind === "agent" ? "a hub" : "a process";
}

function describe(node: Node): string {
  return [node.id, node.kind, deviceOf(node), node.state, node.domain, ...node.services].join(" ");
}

const DOTS: { readonly [state: string]: string } = { running: "on", unknown: "wait", dropped: "bad" };
const STATES: { readonly [state: string]: string } = {
  running: "here",
  unknown: "unreachable",
  stopped: "left",
  dropped: "lost",
};

function State({ node, board }: { readonly node: Node; readonly board: Board }) {
  const resting = node.quarantinedUntil > board.at;
  return (
    <span class="tag">
      <span class={`dot ${resting ? "bad" : (DOTS[node.state] ?? "")}`} aria-hidden="true" />
      {resting ? "in quarantine" : (STATES[node.state] ?? node.state)}
    </span>
  );
}

function doingOf({ doing, running }: Node): string {
  if (running === 0) return "";
  const names = [...new Set(doing.map(({ service }) => service))].join(", ");
  return running > 1 ? `${running} × ${names}` : names;
}

function shareOf(node: Node, solved: number): number {
  return solved === 0 ? 0 : Math.min(1, node.solved / solved);
}

function nameOf(device: Device): string {
  const { length } = device.nodes;
  return length > 1 ? `${deviceOf(device)}, ${length} tabs` : deviceOf(device);
}

function columnsFor(board: Board): readonly Column<Device>[] {
  const solved = [...board.nodes.values()].reduce((sum, node) => sum + node.solved, 0);
  return [
    {
      name: "Node",
      by: ({ id }) => id,
      cell: ({ nodes }) =>
        nodes.map(({ id }, i) => (
          <>
            {i > 0 && ", "}
            <a href={pathTo("nodes", id)}>{id}</a>
          </>
        )),
    },
    { name: "State", by: ({ state }) => state, cell: (node) => <State node={node} board={board} /> },
    { name: "Device", by: nameOf, cell: nameOf },
    { name: "Provider", by: ({ provider = "" }) => provider, cell: ({ provider }) => provider ?? "–" },
    { name: "Speed", number: true, by: ({ speed }) => speed, cell: ({ speed }) => speed.toFixed(2) },
    {
      name: "Slots",
      number: true,
      by: ({ running }) => running,
      cell: ({ running, slots }) => `${running}/${slots}`,
    },
    { name: "Doing", by: doingOf, cell: (node) => doingOf(node) || <span class="soft">–</span> },
    {
      name: "Share of work",
      by: (node) => shareOf(node, solved),
      cell: (node) => (
        <>
          <span class="meter" aria-hidden="true">
            <span style={{ width: `${100 * shareOf(node, solved)}%` }} />
          </span>
          {(100 * shareOf(node, solved)).toFixed(1)} %
        </>
      ),
    },
    { name: "Solved", number: true, by: ({ solved: n }) => n, cell: ({ solved: n }) => count(n) },
    { name: "Failed", number: true, by: ({ failed }) => failed, cell: ({ failed }) => count(failed) },
  ];
}

export function NodeTable({ board, nodes, tall }: { board: Board; nodes: readonly Node[]; tall?: boolean }) {
  return (
    <Table
      label="Nodes"
      rows={devicesOf(nodes)}
      columns={columnsFor(board)}
      keyOf={({ number }) => number}
      empty={
        board.nodes.size > 0 ? (
          "No node has these words."
        ) : (
          <>
            Nobody is here yet. Open <a href="/">this hub's page</a> on another device and press Participate,
            or run <code>flockwork computing-node</code>.
          </>
        )
      }
      tall={tall ?? false}
      sorted={[8, true]}
    />
  );
}

function OneNode({ board, id }: { readonly board: Board; readonly id: string }) {
  const node = [...board.nodes.values()].find((known) => known.id === id);
  const number = node?.number;
  const source = useMemo(() => new BoardSource(board, number), [board, number]);
  if (node === undefined)
    return (
      <p class="empty">
        The hub does not know {id} (any more). <a href={pathTo("nodes")}>All nodes</a>
      </p>
    );
  const now = board.clock(performance.now());
  return (
    <>
      <div class="head">
        <h1>{node.id}</h1>
        <State node={node} board={board} />
      </div>
      <Figures
        figures={[
          { name: "in slots", value: `${node.running}/${node.slots}`, figure: "node-running" },
          { name: "held", value: count(node.held), figure: "node-held" },
          { name: "solved", value: count(node.solved), figure: "node-solved" },
          { name: "failed", value: count(node.failed), figure: "node-failed", bad: node.failed > 0 },
          { name: "speed beside others", value: node.speed.toFixed(2), figure: "node-speed" },
          { name: "came from it", value: bytes(node.bytesIn) },
          { name: "went to it", value: bytes(node.bytesOut) },
        ]}
      />
      <section class="card">
        <h2>Its tasks</h2>
        <Timeline source={source} />
      </section>
      <section class="card">
        <h2>What it is</h2>
        <dl class="facts">
          <dt>Device</dt>
          <dd>{deviceOf(node)}</dd>
          <dt>Kind</dt>
          <dd>{node.kind}</dd>
          <dt>Software</dt>
          <dd>{node.software}</dd>
          <dt>Provider</dt>
          <dd>{node.provider ?? "computes no programs"}</dd>
          <dt>Services</dt>
          <dd>{node.services.join(", ") || "none"}</dd>
          <dt>Domain</dt>
          <dd>{node.domain}</dd>
          <dt>Joined</dt>
          <dd>{ago(Date.now() - Date.parse(node.joinedAt))}</dd>
          <dt>Runs now</dt>
          <dd>
            {node.doing
              .map(({ service, since }) => `${service} for ${duration(Math.max(0, now - since))}`)
              .join(", ") || "nothing"}
          </dd>
        </dl>
      </section>
      <section class="card">
        <div class="head">
          <h2>What went wrong there</h2>
        </div>
        <ErrorTable board={board} errors={board.errors.filter((error) => error.node === id)} />
      </section>
    </>
  );
}
