// What the commands print with: colour only where it is wanted, errors as one line, a bar on long batches.
import { FlockworkError } from "../ids/index.js";

/** Colour when the stream is a terminal and NO_COLOR is not set (https://no-color.org). */
function coloured(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && !process.env["NO_COLOR"] && process.env["TERM"] !== "dumb";
}

const code = (open: number | string, close: number) => (text: string) =>
  coloured(process.stdout) ? `\u001b[${open}m${text}\u001b[${close}m` : text;

export const bold = code(1, 22);
export const dim = code(2, 22);
export const green = code(32, 39);
export const red = code(31, 39);
export const blackOnWhite = code("30;107", 0);

export function say(line = ""): void {
  process.stdout.write(`${line}\n`);
}

/** To stderr: what is not the command's result. */
export function remark(line: string): void {
  process.stderr.write(`flockwork: ${line}\n`);
}

/** One line for a mistake of the user's or of the world's, a stack trace for a bug of ours. */
export function complain(error: unknown): void {
  if (error instanceof FlockworkError && error.code !== "internal") remark(error.message);
  else
    remark(
      `this is a bug in Flockwork, please report it:\n${error instanceof Error ? error.stack : String(error)}`,
    );
}

export interface Bar {
  update(done: number): void;
  end(): void;
}

/** A progress bar on stderr, only where that is a terminal; `total` undefined: just the count. */
export function progressBar(total: number | undefined): Bar {
  const stream = process.stderr;
  if (!stream.isTTY) return { update: () => undefined, end: () => undefined };
  const started = performance.now();
  let drawn = 0;
  return {
    update(done) {
      const now = performance.now();
      if (now - drawn < 100 && done !== total) return;
      drawn = now;
      const rate = Math.round((done * 1000) / Math.max(1, now - started));
      const columns = Math.min(stream.columns || 80, 80);
      const width = Math.max(10, columns - 40);
      const filled = total === undefined ? 0 : Math.round((done / Math.max(1, total)) * width);
      const bar = total === undefined ? "" : `[${"#".repeat(filled)}${".".repeat(width - filled)}] `;
      const count = total === undefined ? `${done}` : `${done}/${total}`;
      stream.write(`\r${`${bar}${count}  ${rate}/s`.slice(0, columns - 1)}\u001b[K`);
    },
    end() {
      stream.write("\r\u001b[K");
    },
  };
}

/** Columns padded to their widest cell, within `width` columns: the last one is cut. */
export function table(
  rows: readonly (readonly string[])[],
  width = Math.min(process.stdout.columns || 80, 120),
): string[] {
  const widths: number[] = [];
  for (const row of rows) row.forEach((cell, i) => (widths[i] = Math.max(widths[i] ?? 0, cell.length)));
  return rows.map((row) => {
    const line = row.map((cell, i) => (i === row.length - 1 ? cell : cell.padEnd(widths[i]!))).join("  ");
    return line.length > width ? `${line.slice(0, width - 1)}…` : line;
  });
}
