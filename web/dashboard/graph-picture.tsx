// The picture of a graph: its tasks from left to right, in the colour of the node that computed each.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type { Board } from "./board.js";
import { BOX, type Layout } from "./layout.js";
import type { GroupRow } from "./update.js";

/** More than these nobody can tell apart. */
const MOST = 300;
const HUES = 8;

export interface GraphPictureProps {
  readonly board: Board;
  readonly groups: readonly GroupRow[];
  /** Tasks that the hub left out. */
  readonly left: number;
}

export function GraphPicture({ board, groups, left }: GraphPictureProps) {
  const shown = groups.slice(-MOST);
  const layout = useLayout(shown);
  const nodes = [...new Set(groups.map(({ node }) => node))].filter((node) => node !== "").sort();
  const hues = useMemo(() => huesOf(board, nodes), [nodes.join(" ")]);
  const rows = new Map(shown.map((group) => [group.number, group]));
  const more = left + groups.length - shown.length;
  const states = ["done", "running", "waiting", "failed"] as const;
  const said = states.map((state) => `${groups.filter((group) => group.state === state).length} ${state}`);
  return (
    <>
      <ul class="legend">
        {nodes.map((node) => (
          <li>
            <span class={`swatch hue-${hues.get(node)}`} aria-hidden="true" />
            {node}
          </li>
        ))}
        <li>dashed: waits; bright edge: runs{more > 0 ? `; ${more} earlier tasks are left out` : ""}</li>
      </ul>
      <div class="picture" tabIndex={0} role="region" aria-label="Picture of the graph">
        {layout === undefined ? (
          <p class="empty">Drawing.</p>
        ) : (
          <svg
            width={layout.width}
            height={layout.height}
            style={{ "--wide": `${layout.width}px` }}
            viewBox={`0 0 ${layout.width} ${layout.height}`}
            role="img"
            aria-label={`${shown.length} tasks: ${said.join(", ")}. The table below has them all.`}
          >
            {layout.edges.map(({ from, to, path }) => (
              <path key={`${from} ${to}`} class="edge" d={path} />
            ))}
            {[...layout.places].map(([number, { x, y }]) => (
              <Box
                key={number}
                x={x}
                y={y}
                group={rows.get(number)}
                hue={hues.get(rows.get(number)?.node ?? "")}
              />
            ))}
          </svg>
        )}
      </div>
    </>
  );
}

interface BoxProps {
  readonly x: number;
  readonly y: number;
  readonly group: GroupRow | undefined;
  readonly hue: number | undefined;
}

function Box({ x, y, group, hue }: BoxProps) {
  if (group === undefined) return null;
  const { number, state, node, ms } = group;
  return (
    <g class={`group ${state} ${hue === undefined ? "" : `of-${hue}`}`} transform={`translate(${x} ${y})`}>
      <title>{`Task ${number}, ${state}${node === "" ? "" : ` at ${node}`}${ms > 0 ? `, ${ms.toFixed(1)} ms` : ""}`}</title>
      <rect width={BOX.width} height={BOX.height} rx={8} />
      <text x={10} y={BOX.height / 2 + 5}>
        {number}
        {ms > 0 ? ` · ${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms` : ""}
      </text>
    </g>
  );
}

/** Nodes keep the colour of their number, as on the timeline's rows; those that left get what is free. */
function huesOf(board: Board, nodes: readonly string[]): Map<string, number> {
  const numbers = new Map([...board.nodes.values()].map(({ id, number }) => [id, number]));
  return new Map(nodes.map((node, i) => [node, (numbers.get(node) ?? i) % HUES]));
}

/** The layout of the groups as they are connected now; the last one until it is there. */
function useLayout(groups: readonly GroupRow[]): Layout | undefined {
  const [layout, setLayout] = useState<Layout | undefined>(undefined);
  const worker = useRef<Worker>(null);
  const key = groups.map(({ number, after }) => `${number}<${after.join(",")}`).join(";");
  useEffect(() => {
    const made = new Worker(new URL("./layout-worker.ts", import.meta.url), { type: "module" });
    made.onmessage = ({ data }: MessageEvent<Layout>) => setLayout(data);
    worker.current = made;
    return () => made.terminate();
  }, []);
  useEffect(() => {
    worker.current?.postMessage({ key, groups: groups.map(({ number, after }) => ({ number, after })) });
  }, [key]);
  return layout;
}
