// The hub's samples as charts want them: columns, and differences a second of counts that only go up.
import type uPlot from "uplot";
import type { Board } from "./board.js";

type Values = (number | null)[];

function columnOf(board: Board, name: string): Values {
  const at = board.columns.indexOf(name);
  return board.samples.map((sample) => sample[at] ?? null);
}

/** Seconds since 1970. */
function times(board: Board): number[] {
  return board.samples.map(([at]) => (board.hub.epoch + (at ?? 0)) / 1000);
}

export function levels(board: Board, ...names: readonly string[]): uPlot.AlignedData {
  return [times(board), ...names.map((name) => columnOf(board, name))];
}

/** What was added to each count, a second. */
export function rates(board: Board, ...names: readonly string[]): uPlot.AlignedData {
  const at = times(board);
  const columns = names.map((name) => {
    const values = columnOf(board, name);
    return values.map((value, i) => {
      const before = values[i - 1];
      if (value === null || before === null || before === undefined) return null;
      // A hub that was started anew counts from zero.
      return Math.max(0, value - before) / Math.max(0.5, at[i]! - at[i - 1]!);
    });
  });
  return [at, ...columns];
}

/** The last value of a column, smoothed over a few samples; null: none yet. */
export function lately(data: uPlot.AlignedData, column: number, samples = 3): number | null {
  const values = (data[column] ?? []) as Values;
  const last = values.slice(-samples).filter((value) => value !== null);
  return last.length === 0 ? null : last.reduce((sum, value) => sum + value, 0) / last.length;
}
