// flockwork up: a hub on this machine.
import type { Command } from "commander";
import { defaultDataDir, startHub } from "../flock/index.node.js";
import { VERSION, type LogOptions } from "../hub/index.js";
import { FlockworkError } from "../ids/index.js";
import { onInterrupt } from "./interrupt.js";
import { choice, wholeNumber } from "./arguments.js";
import { bold, complain, dim, say } from "./screen.js";

interface UpOptions {
  readonly port: number;
  readonly data?: string;
  readonly ephemeral?: boolean;
  readonly durable: "process" | "power";
  readonly logLevel: LogOptions["level"];
  readonly logFilter?: string;
  readonly logFormat: "text" | "json";
  readonly record?: string;
}

export function addUp(program: Command): void {
  program
    .command("up")
    .description("Start a hub on this machine; nodes and main nodes connect to it.")
    .option(
      "-p, --port <port>",
      "port for WebSocket and HTTP; 0 picks a free one",
      wholeNumber("--port", 0, 65_535),
      9999,
    )
    .option(
      "--data <folder>",
      "where jobs and solutions are kept (default: your data folder, or FLOCKWORK_DATA)",
    )
    .option("--ephemeral", "keep everything in memory; it is gone with the hub")
    .option(
      "--durable <against>",
      "what an acknowledged job survives: the death of a process, or loss of power too",
      choice("--durable", ["process", "power"]),
      "process",
    )
    .option(
      "--log-level <level>",
      "trace, debug, info, warn, error, fatal or silent",
      choice("--log-level", ["trace", "debug", "info", "warn", "error", "fatal", "silent"]),
      "info",
    )
    .option("--log-filter <pattern>", "only log lines that match this regular expression")
    .option(
      "--log-format <format>",
      "text or json",
      choice("--log-format", ["text", "json"]),
      process.stderr.isTTY ? "text" : "json",
    )
    .option("--record <file>", "write down every event, without payloads, for flockwork replay")
    .action(async (options: UpOptions) => {
      const dataDir = options.ephemeral ? undefined : (options.data ?? defaultDataDir());
      const hub = await startHub({
        port: options.port,
        durable: options.durable,
        log: {
          pretty: options.logFormat === "text",
          ...(options.logLevel && { level: options.logLevel }),
          ...(options.logFilter !== undefined && { filter: pattern(options.logFilter) }),
        },
        ...(dataDir !== undefined && { dataDir }),
        ...(options.record !== undefined && { record: options.record }),
      });
      const port = hub.port === 9999 ? "" : ` --hub ${hub.url}`;
      say(`${bold("Flockwork")} ${VERSION} hub ${hub.id} listens on ${bold(hub.url)}`);
      say(dim(dataDir === undefined ? "Jobs are kept in memory only." : `Jobs are kept in ${dataDir}`));
      say(`Add a node:  flockwork computing-node${port}`);
      say(`Send a job:  flockwork main-node${port} "first job"`);
      const close = () => void hub.close().catch(complain);
      onInterrupt(close, () => process.exit(1), "stopping; press Ctrl-C again to stop at once");
      await hub.stopped;
    });
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new FlockworkError("bad_argument", `--log-filter "${text}" is not a regular expression.`);
  }
}
