// A live line chart (uPlot) that follows the page's colours and width.
import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import { colour } from "./theme.js";

export interface Line {
  readonly label: string;
  /** A colour of the design. */
  readonly colour: string;
  readonly filled?: boolean;
}

export interface ChartProps {
  /** What it shows and how it stands now, for those who can not see it. */
  readonly label: string;
  readonly lines: readonly Line[];
  /** Times in seconds since 1970, then the values of each line. */
  readonly data: uPlot.AlignedData;
  readonly format: (value: number) => string;
  readonly height?: number;
  /** The values go up by orders of magnitude. */
  readonly log?: boolean;
}

export function Chart({ label, lines, data, format, height = 150, log = false }: ChartProps) {
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot>(null);
  const latest = useRef(data);
  latest.current = data;

  useEffect(() => {
    const element = place.current;
    // It may have gone before it was ever drawn.
    if (element === null) return undefined;
    const build = () => {
      plot.current?.destroy();
      const { clientWidth } = element;
      const options = optionsOf({ lines, format, height, log, width: Math.max(120, clientWidth) });
      plot.current = new uPlot(options, latest.current, element);
    };
    build();
    const resize = new ResizeObserver(() => {
      const width = Math.max(120, element.clientWidth);
      if (plot.current !== null && width !== plot.current.width) plot.current.setSize({ width, height });
    });
    resize.observe(element);
    addEventListener("themechange", build);
    return () => {
      resize.disconnect();
      removeEventListener("themechange", build);
      plot.current?.destroy();
      plot.current = null;
    };
  }, []);

  useEffect(() => plot.current?.setData(data), [data]);

  return <div class="chart" style={{ minHeight: height }} ref={place} role="img" aria-label={label} />;
}

type Shape = Omit<ChartProps, "label" | "data"> & { readonly width: number };

function optionsOf({ lines, format, height, log, width }: Shape): uPlot.Options {
  const soft = colour("soft");
  const grid = { stroke: colour("line"), width: 1 };
  const axis = { stroke: soft, font: '12px "Figtree Variable", sans-serif', grid, ticks: { show: false } };
  return {
    width,
    height: height!,
    padding: [8, 4, 0, 0],
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { time: true },
      y: log
        ? {
            distr: 3,
            range: (_, min, max) => [
              decade(Math.max(0.1, min), Math.floor),
              decade(Math.max(1, max), Math.ceil),
            ],
          }
        : { range: (_, __, max) => [0, Math.max(1, (max ?? 0) * 1.15)] },
    },
    axes: [
      { ...axis, grid: { show: false }, size: 26, space: 70, values: times },
      {
        ...axis,
        size: 58,
        ...(log && { grid: { ...grid, filter: decades }, filter: decades }),
        space: 38,
        values: (_, ticks) => ticks.map((tick) => (tick === null ? "" : format(tick))),
      },
    ],
    series: [
      {},
      ...lines.map((line) => ({
        label: line.label,
        stroke: colour(line.colour),
        width: 2,
        points: { show: false },
        ...(line.filled && { fill: thin(colour(line.colour)) }),
      })),
    ],
  };
}

function thin(rgb: string): string {
  return rgb.replace("rgb(", "rgba(").replace(")", ", 0.17)");
}

function decade(value: number, round: (x: number) => number): number {
  return 10 ** round(Math.log10(value));
}

/** Of a logarithmic axis, only the powers of ten. */
function decades(_: uPlot, ticks: readonly number[]): (number | null)[] {
  return ticks.map((tick) => (Math.abs(Math.log10(tick) % 1) < 1e-6 ? tick : null));
}

/** What would be cut off at the edge is left out. */
function times(plot: uPlot, ticks: readonly number[]): string[] {
  const most = plot.bbox.width / devicePixelRatio - 26;
  return ticks.map((tick) => (plot.valToPos(tick, "x") > most ? "" : clock(tick)));
}

function clock(seconds: number): string {
  const date = new Date(seconds * 1000);
  return [date.getHours(), date.getMinutes(), date.getSeconds()]
    .map((part) => String(part).padStart(2, "0"))
    .join(":");
}
