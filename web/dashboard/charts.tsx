// The four live charts: throughput, latency, bytes, memory.
import { useMemo } from "preact/hooks";
import type uPlot from "uplot";
import { Chart, type Line } from "../parts/chart.js";
import { bytes, compact, duration, perSecond } from "../parts/numbers.js";
import type { Board } from "./board.js";
import { lately, levels, rates } from "./history.js";

interface Kind {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly data: (board: Board) => uPlot.AlignedData;
  readonly axis: (value: number) => string;
  readonly now: (values: readonly (number | null)[]) => string;
  readonly log?: boolean;
}

const ms = (value: number | null | undefined) =>
  value === null || value === undefined ? "–" : duration(value);

const KINDS: readonly Kind[] = [
  {
    title: "Jobs and tasks",
    lines: [
      { label: "jobs solved", colour: "accent", filled: true },
      { label: "tasks of graphs", colour: "hue-2" },
      { label: "failed", colour: "bad" },
    ],
    data: (board) => rates(board, "solved", "computed", "unsolved"),
    axis: compact,
    now: ([solved, computed]) => `${perSecond((solved ?? 0) + (computed ?? 0))}/s`,
  },
  {
    title: "Latency, submit to answer",
    lines: [
      { label: "half within", colour: "hue-2" },
      { label: "95 % within", colour: "hue-3" },
    ],
    data: (board) => levels(board, "p50", "p95"),
    axis: duration,
    now: ([p50, p95]) => `${ms(p50)} · ${ms(p95)}`,
    log: true,
  },
  {
    title: "Bytes",
    lines: [
      { label: "to the hub", colour: "hue-6", filled: true },
      { label: "from the hub", colour: "warm" },
    ],
    data: (board) => rates(board, "bytesIn", "bytesOut"),
    axis: bytes,
    now: ([to, from]) => `${bytes(to ?? 0)}/s · ${bytes(from ?? 0)}/s`,
  },
  {
    title: "The hub's memory",
    lines: [{ label: "resident", colour: "hue-5", filled: true }],
    data: (board) => levels(board, "memoryBytes"),
    axis: bytes,
    now: ([resident]) => bytes(resident ?? 0),
  },
];

export function Charts({ board }: { readonly board: Board }) {
  return (
    <div class="charts">
      {KINDS.map((kind) => (
        <Live kind={kind} board={board} />
      ))}
    </div>
  );
}

function Live({ kind, board }: { readonly kind: Kind; readonly board: Board }) {
  const { title, lines, axis, log } = kind;
  // Anew with each sample, once a second; not with each update.
  const data = useMemo(() => kind.data(board), [board.sampled]);
  const now = kind.now(lines.map((_, i) => lately(data, i + 1)));
  return (
    <section class="card">
      <div class="head">
        <h2>{title}</h2>
        <strong>{now}</strong>
      </div>
      <Chart
        label={`${title} over the last ten minutes; now ${now}.`}
        lines={lines}
        data={data}
        format={axis}
        log={log ?? false}
      />
      <ul class="legend">
        {lines.map(({ label, colour }) => (
          <li>
            <span
              class={`swatch ${colour.startsWith("hue") ? colour : `hue-${colour}`}`}
              aria-hidden="true"
            />
            {label}
          </li>
        ))}
      </ul>
    </section>
  );
}
