// flockwork up: a hub on this machine.
import type { Command } from "commander";
import { defaultDataDir, localPort, startHub } from "../flock/index.node.js";
import { VERSION, type LogOptions } from "../hub/index.js";
import { FlockworkError } from "../ids/index.js";
import { onInterrupt } from "./interrupt.js";
import { choice, wholeNumber } from "./arguments.js";
import { bold, complain, dim, remark, say } from "./screen.js";

interface UpOptions {
  readonly port?: number;
  readonly data?: string;
  readonly ephemeral?: boolean;
  readonly durable: "process" | "power";
  readonly logLevel: LogOptions["level"];
  readonly logFilter?: string;
  readonly logFormat?: "text" | "json";
  readonly record?: string;
}

export function addUp(program: Command): void {
  program
    .command("up")
    .description("Start a hub; nodes and main nodes connect to it.")
    .option(
      "-p, --port <port>",
      "port for WebSocket and HTTP; 0 picks a free one (default: FLOCKWORK_PORT, or 9999)",
      wholeNumber("--port", 0, 65_535),
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
      "text or json (default: text on a terminal, json elsewhere)",
      choice("--log-format", ["text", "json"]),
    )
    .option("--record <file>", "write down every event, without payloads, for flockwork replay")
    .action(async (options: UpOptions) => {
      const dataDir = options.ephemeral ? undefined : (options.data ?? defaultDataDir());
      let close = (): void => process.exit(130);
      onInterrupt(
        () => close(),
        () => process.exit(1),
      );
      const hub = await startHub({
        port: options.port ?? localPort(),
        durable: options.durable,
        log: {
          pretty: options.logFormat === undefined ? process.stderr.isTTY : options.logFormat === "text",
          ...(options.logLevel && { level: options.logLevel }),
          ...(options.logFilter !== undefined && { filter: pattern(options.logFilter) }),
        },
        ...(dataDir !== undefined && { dataDir }),
        ...(options.record !== undefined && { record: options.record }),
      });
      const port = hub.port === localPort() ? "" : ` --hub ${hub.url}`;
      say(`${bold("Flockwork")} ${VERSION} hub ${hub.id} listens on ${bold(hub.url)}`);
      say(dim(dataDir === undefined ? "Jobs are kept in memory only." : `Jobs are kept in ${dataDir}`));
      say(`Add a node:  flockwork computing-node${port}`);
      say(`Send a job:  flockwork main-node${port} "first job"`);
      close = () => {
        // Elsewhere than on a terminal, stderr is a log of JSON lines.
        if (process.stderr.isTTY) remark("stopping; press Ctrl-C again to stop at once");
        hub.close().catch(complain);
      };
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
