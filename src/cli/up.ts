// flockwork up: a hub on this machine.
import { X509Certificate } from "node:crypto";
import type { Command } from "commander";
import { announceHub, defaultDataDir, localPort, startHub } from "../flock/index.node.js";
import { isLoopback, VERSION, type LogOptions } from "../hub/index.js";
import { FlockworkError } from "../ids/index.js";
import { onInterrupt } from "./interrupt.js";
import { choice, readPem, wholeNumber } from "./arguments.js";
import { printLinks } from "./links.js";
import { bold, complain, dim, remark, say } from "./screen.js";

interface UpOptions {
  readonly port?: number;
  readonly host: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly insecure?: boolean;
  readonly requireToken?: boolean;
  readonly allowHost?: string[];
  readonly allowOrigin?: string[];
  readonly mdns: boolean;
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
      "--host <address>",
      "address to listen on; any but this machine's own asks for tokens",
      "127.0.0.1",
    )
    .option("--tls-cert <file>", "certificate (PEM): speak https and wss")
    .option("--tls-key <file>", "its private key (PEM)")
    .option("--insecure", "listen without encryption where others can read and alter what passes")
    .option("--require-token", "ask for tokens on this machine too")
    .option("--allow-host <names...>", "further names under which the hub may be addressed")
    .option("--allow-origin <origins...>", "pages of other origins that may use the hub")
    .option("--no-mdns", "do not announce the hub in the local network")
    .option(
      "--data <folder>",
      "where jobs and solutions are kept (default: your data folder, or FLOCKWORK_DATA)",
    )
    .option("--ephemeral", "keep nothing that outlives the hub")
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
    .action(run);
}

async function run(options: UpOptions): Promise<void> {
  const dataDir = options.ephemeral ? undefined : (options.data ?? defaultDataDir());
  const tls = tlsOf(options);
  let close = (): void => process.exit(130);
  onInterrupt(
    () => close(),
    () => process.exit(1),
  );
  const hub = await startHub({
    port: options.port ?? localPort(),
    host: options.host,
    durable: options.durable,
    log: {
      pretty: options.logFormat === undefined ? process.stderr.isTTY : options.logFormat === "text",
      ...(options.logLevel && { level: options.logLevel }),
      ...(options.logFilter !== undefined && { filter: pattern(options.logFilter) }),
    },
    ...(dataDir !== undefined && { dataDir }),
    ...(tls && { tls }),
    ...(options.record !== undefined && { record: options.record }),
    ...(options.insecure && { insecure: true }),
    ...(options.requireToken && { requireToken: true }),
    ...(options.allowHost && { allowHosts: options.allowHost }),
    ...(options.allowOrigin && { allowOrigins: options.allowOrigin }),
  });
  const open = !isLoopback(options.host);
  say(`${bold("Flockwork")} ${VERSION} hub ${hub.id} listens on ${bold(hub.url)}`);
  say(dim(dataDir === undefined ? "Jobs are gone with this hub." : `Jobs are kept in ${dataDir}`));
  if (open && tls === undefined)
    say(
      "Not encrypted (--insecure): tokens stay secret, but jobs and solutions can be\nread and altered on the way.",
    );
  const dates = tls && outOfDate(tls.cert);
  if (dates !== undefined) remark(dates);
  if (hub.asksToken) await printLinks(hub);
  else {
    const pages = hub.url.replace(/^ws/, "http");
    const port = hub.port === localPort() ? "" : ` --hub ${hub.url}`;
    say(`In a browser:  ${pages}/ takes part,`);
    say(`               ${pages}/dashboard watches`);
    say(`Add a node:    flockwork computing-node${port}`);
    say(`Send a job:    flockwork main-node${port} "first job"`);
  }
  const silence = open && options.mdns ? announceHub(hub.id, hub.port, tls !== undefined) : undefined;
  close = () => {
    // Elsewhere than on a terminal, stderr is a log of JSON lines.
    if (process.stderr.isTTY) remark("stopping; press Ctrl-C again to stop at once");
    hub.close().catch(complain);
  };
  await hub.stopped;
  await silence?.();
}

function tlsOf({ tlsCert, tlsKey }: UpOptions): { cert: string; key: string } | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsCert === undefined || tlsKey === undefined)
    throw new FlockworkError("bad_argument", "--tls-cert and --tls-key go together: give both.");
  return { cert: readPem("--tls-cert", tlsCert), key: readPem("--tls-key", tlsKey) };
}

/** What is wrong with a certificate's dates, which only those who join would notice; undefined: nothing. */
function outOfDate(pem: string): string | undefined {
  const { validFrom, validTo } = new X509Certificate(pem);
  const now = Date.now();
  if (now >= Date.parse(validFrom) && now <= Date.parse(validTo)) return undefined;
  return `The certificate is good from ${validFrom} to ${validTo}, so nobody will accept it now: renew it, or set this machine's clock right.`;
}

function pattern(text: string): RegExp {
  try {
    return new RegExp(text);
  } catch {
    throw new FlockworkError("bad_argument", `--log-filter "${text}" is not a regular expression.`);
  }
}
