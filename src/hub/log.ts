// The hub's log: pino, JSON lines on stderr (or readable ones on a terminal), by level and by a filter on the text.
import { pino, type Logger, type LevelWithSilent } from "pino";

export interface LogOptions {
  /** Least level that is written. Default "info". */
  readonly level?: LevelWithSilent;
  /** Only lines whose JSON matches this pattern. */
  readonly filter?: RegExp;
  /** Readable lines instead of JSON. */
  readonly pretty?: boolean;
}

/** A logger by options; an existing logger is taken as it is. */
export function hubLogger(options: LogOptions | Logger = {}): Logger {
  if ("child" in options) return options;
  const { level = "info", filter, pretty } = options;
  const write = (line: string) => {
    if (filter === undefined || filter.test(line)) process.stderr.write(pretty ? readable(line) : line);
  };
  return pino({ level, base: undefined }, { write });
}

/** `12:34:56 INFO  hub is up  url=ws://127.0.0.1:9999` */
function readable(line: string): string {
  const { level, time, msg, err, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const name = pino.levels.labels[Number(level)]?.toUpperCase().padEnd(5) ?? "";
  const clock = new Date(Number(time)).toTimeString().slice(0, 8);
  const rest = Object.entries(fields).map(
    ([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`,
  );
  const stack = err === undefined ? "" : `\n${(err as { stack?: string }).stack ?? ""}`;
  return `${clock} ${name} ${[String(msg), ...rest].join("  ")}${stack}\n`;
}
