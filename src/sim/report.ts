// A run as one HTML page that needs nothing else: Gantt chart of some nodes, queue depth, shares of clients, latencies.
import { Histogram, startOf } from "./measures.js";
import type { Outcome } from "./measures.js";
import type { Script } from "./script.js";
import { Simulation } from "./simulation.js";
import type { SimulationOptions } from "./simulation.js";

/** Nodes in the Gantt chart, and runs drawn at most. */
const GANTT_NODES = 40;
const GANTT_RUNS = 20_000;
const WIDTH = 960;
const LEFT = 70;
const COLOURS = ["#3b76af", "#ef8636", "#519e3e", "#c53a32", "#8d69b8", "#84584e", "#d57dbe", "#7f7f7f"];

interface Bar {
  readonly row: number;
  readonly from: number;
  readonly to: number;
  readonly task: number;
  readonly client: number;
  readonly answered: boolean;
}

interface Sample {
  readonly at: number;
  readonly waiting: number;
  readonly running: number;
  readonly nodes: number;
  /** Work done so far for each client, in milliseconds of nodes. */
  readonly spent: readonly number[];
}

/** Runs the script and draws what happened. */
export function report(script: Script, options: SimulationOptions = {}): { outcome: Outcome; html: string } {
  const bars: Bar[] = [];
  const samples: Sample[] = [];
  const spent = script.scenario.clients.map(() => 0);
  const every = Math.max(1, Math.ceil(script.scenario.nodes / GANTT_NODES));
  const simulation: Simulation = new Simulation(script, {
    ...options,
    onRun: (node, run, endedAt, answered) => {
      const client = simulation.clients.clientOf(run.task);
      spent[client]! += endedAt - run.startedAt;
      if (node.index % every !== 0 || bars.length >= GANTT_RUNS) return;
      bars.push({
        row: node.index / every,
        from: run.startedAt,
        to: endedAt,
        task: run.task,
        client,
        answered,
      });
    },
    onSample: (at, waiting, running, nodes) =>
      samples.push({ at, waiting, running, nodes, spent: [...spent] }),
  });
  const outcome = simulation.run();
  return { outcome, html: page(script, outcome, bars, samples, every) };
}

function page(script: Script, outcome: Outcome, bars: Bar[], samples: Sample[], every: number): string {
  const { scenario: s } = script;
  const end = Math.max(outcome.makespan, 1);
  const facts = [
    [
      "makespan",
      `${seconds(outcome.makespan)}, ${(outcome.makespan / outcome.bound).toFixed(3)} times the bound`,
    ],
    ["solved, failed", `${outcome.solved}, ${outcome.failed}`],
    ["wasted", `${(100 * outcome.wasted).toFixed(2)} % of the nodes' working time`],
    [
      "latency",
      `p50 ${seconds(outcome.latency.p50)}, p99 ${seconds(outcome.latency.p99)}, longest ${seconds(outcome.latency.max)}`,
    ],
    ["digest", outcome.digest],
  ];
  const shares = s.clients.map((_, client) => ({
    name: `client ${client}`,
    points: samples.slice(1).map((sample, i) => {
      const before = samples[i]!;
      const all = sum(sample.spent) - sum(before.spent);
      return [sample.at, all > 0 ? (sample.spent[client]! - before.spent[client]!) / all : 0] as const;
    }),
  }));
  const depth = (["waiting", "running", "nodes"] as const).map((name) => ({
    name,
    points: samples.map((sample) => [sample.at, sample[name]] as const),
  }));
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>${escape(s.name)}, seed ${script.seed}</title>
<style>
body{font:14px system-ui,sans-serif;margin:2em auto;max-width:${WIDTH + 40}px;color:#222;background:#fff}
h1{font-size:1.4em}h2{font-size:1.1em;margin:1.6em 0 .3em}td{padding:.1em 1em .1em 0}p{margin:.3em 0;color:#555}
svg{display:block;width:100%;height:auto}text{font:11px system-ui,sans-serif;fill:#555}
</style></head><body>
<h1>${escape(s.name)}: ${s.nodes} nodes, ${s.tasks} tasks (${s.sizes}), seed ${script.seed}</h1>
<table>${facts.map(([name, value]) => `<tr><td>${name!}</td><td>${escape(value!)}</td></tr>`).join("")}</table>
<h2>What nodes did</h2><p>${every > 1 ? `Every ${every}th node. ` : ""}Colours are clients; grey came to nothing; the line is the bound.</p>
${gantt(bars, end, outcome.bound, every)}
<h2>Tasks and nodes</h2>${lines(depth, end)}
<h2>Shares of the clients</h2>${lines(shares, end, 1)}
<h2>Latency</h2><p>From submission to solution; each bar is 4 % wide.</p>${histogram(outcome.histogram)}
</body></html>
`;
}

function gantt(bars: readonly Bar[], end: number, bound: number, every: number): string {
  const rows = bars.reduce((most, bar) => Math.max(most, bar.row + 1), 1);
  const height = 14;
  const x = scale(end);
  const shapes = bars.map(({ row, from, to, task, client, answered }) => {
    const colour = answered ? COLOURS[client % COLOURS.length]! : "#ccc";
    const width = Math.max(0.5, x(to) - x(from) - 0.5);
    return `<rect x="${px(x(from))}" y="${row * height + 1}" width="${px(width)}" height="${height - 3}" fill="${colour}"><title>task ${task}, ${seconds(from)} to ${seconds(to)}</title></rect>`;
  });
  const names = Array.from(
    { length: rows },
    (_, row) => `<text x="0" y="${row * height + 10}">n${row * every}</text>`,
  );
  const line = Number.isFinite(bound) && bound <= end ? vertical(x(bound), rows * height) : "";
  return svg(rows * height + 20, [...names, ...shapes, line, axis(end, rows * height)]);
}

function lines(
  series: readonly { readonly name: string; readonly points: readonly (readonly [number, number])[] }[],
  end: number,
  most = Math.max(1, ...series.flatMap(({ points }) => points.map(([, y]) => y))),
): string {
  const height = 180;
  const x = scale(end);
  const y = (value: number) => 10 + (height - 10) * (1 - value / most);
  const parts = series.map(({ name, points }, i) => {
    const colour = COLOURS[i % COLOURS.length]!;
    const path = points
      .map(([at, value], j) => `${j === 0 ? "M" : "L"}${px(x(at))} ${px(y(value))}`)
      .join("");
    return `<path d="${path}" fill="none" stroke="${colour}" stroke-width="1.5"/><text x="${WIDTH - 90}" y="${14 + 14 * i}" style="fill:${colour}">${escape(name)}</text>`;
  });
  const labels = [0, 0.5, 1].map(
    (part) => `<text x="0" y="${px(y(part * most) + 4)}">${short(part * most)}</text>`,
  );
  return svg(height + 20, [...labels, ...parts, axis(end, height)]);
}

function histogram({ counts }: Histogram): string {
  const first = counts.findIndex((count) => count > 0);
  if (first < 0) return "<p>Nothing was solved.</p>";
  const last = counts.findLastIndex((count) => count > 0);
  const height = 160;
  const wide = (WIDTH - LEFT) / (last - first + 1);
  const most = Math.max(...counts);
  const bars: string[] = [];
  for (let i = first; i <= last; i++) {
    const tall = (height * counts[i]!) / most;
    bars.push(
      `<rect x="${px(LEFT + (i - first) * wide)}" y="${px(height - tall)}" width="${px(Math.max(0.5, wide - 0.5))}" height="${px(tall)}" fill="${COLOURS[0]!}"><title>${seconds(startOf(i))}: ${counts[i]!}</title></rect>`,
    );
  }
  const marks = [0, 0.25, 0.5, 0.75, 1].map((part) => {
    const step = first + part * (last - first);
    return `<text x="${px(LEFT + part * (WIDTH - LEFT - 40))}" y="${height + 14}">${seconds(startOf(step))}</text>`;
  });
  return svg(height + 20, [`<text x="0" y="12">${short(most)}</text>`, ...bars, ...marks]);
}

function axis(end: number, y: number): string {
  const x = scale(end);
  return [0, 0.25, 0.5, 0.75, 1]
    .map(
      (part) =>
        `<text x="${px(Math.min(x(part * end), WIDTH - 40))}" y="${y + 14}">${seconds(part * end)}</text>`,
    )
    .join("");
}

function vertical(x: number, height: number): string {
  return `<line x1="${px(x)}" x2="${px(x)}" y1="0" y2="${height}" stroke="#000" stroke-dasharray="3 3"/>`;
}

function svg(height: number, parts: readonly string[]): string {
  return `<svg viewBox="0 0 ${WIDTH} ${height}" role="img">${parts.join("")}</svg>`;
}

const scale = (end: number) => (at: number) => LEFT + ((WIDTH - LEFT) * at) / end;
const px = (n: number) => String(Math.round(n * 10) / 10);
const sum = (list: readonly number[]) => list.reduce((a, b) => a + b, 0);
const seconds = (ms: number) => (ms >= 1000 ? `${(ms / 1000).toFixed(1)} s` : `${ms.toPrecision(3)} ms`);
const short = (n: number) =>
  n >= 1000 ? `${Math.round(n / 1000)}k` : n >= 2 ? String(Math.round(n)) : n.toFixed(1);

function escape(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);
}
