// Starting a hub: its port, its data, its tokens, then the hub itself.
import { createServer as createPlain, type Server } from "node:http";
import { createServer as createTls } from "node:https";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { openEphemeral, openSqlite, type Backbone } from "../backbone/index.js";
import { DEFAULT_PORT, FlockworkError } from "../ids/index.js";
import { Gate, isLoopback } from "./gate.js";
import { DEFAULT_LIMITS, type HubLimits } from "./limits.js";
import { hubLogger } from "./log.js";
import type { HubOptions } from "./options.js";
import { RunningHub, type Hub } from "./running-hub.js";
import { threshold } from "./threshold.js";
import { TOKEN_FILE, TokenStore } from "./tokens.js";

/** Starts a hub. Rejects with `port_in_use`, `data_locked` or `storage_full`. */
export async function startHub(options: HubOptions = {}): Promise<Hub> {
  const log = hubLogger(options.log);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const host = options.host ?? "127.0.0.1";
  const open = !isLoopback(host);
  if (open && options.tls === undefined && !options.insecure)
    throw new FlockworkError(
      "bad_argument",
      `On ${host} others can read and alter what passes: give a certificate (--tls-cert, --tls-key), or accept that with --insecure.`,
    );
  const http = createServer(options, limits);
  const early = threshold(http);
  // The port first: whoever loses the race for it must not touch the data.
  await listen(http, options.port ?? DEFAULT_PORT, host);
  const port = (http.address() as AddressInfo).port;
  const url = `${options.tls ? "wss" : "ws"}://${host.includes(":") ? `[${host}]` : host}:${port}`;
  let backbone: Backbone | undefined;
  try {
    backbone = await openBackbone(options, url);
    const tokens = new TokenStore(
      options.dataDir === undefined ? undefined : join(options.dataDir, TOKEN_FILE),
    );
    const required = open || (options.requireToken ?? false);
    if (required && tokens.size === 0)
      for (const role of ["compute", "main", "observe"] as const) tokens.create(role, "owner");
    const gate = new Gate({
      tokens,
      required,
      encrypted: options.tls !== undefined,
      hosts: options.allowHosts ?? [],
      origins: options.allowOrigins ?? [],
    });
    const hub = new RunningHub({
      http,
      backbone,
      log,
      limits,
      url,
      port,
      tokens,
      gate,
      asksToken: required,
      scheduler: options.scheduler,
      passing: options.passing ?? false,
      lasting: options.dataDir !== undefined,
      record: options.record,
    });
    await hub.start();
    early.open();
    return hub;
  } catch (error) {
    early.close();
    await backbone?.close();
    throw error;
  }
}

/** Slow requests and headers are cut; WebSockets have their own clock. */
function createServer({ tls }: HubOptions, { helloMs }: HubLimits): Server {
  const options = {
    headersTimeout: helloMs,
    requestTimeout: 2 * helloMs,
    keepAliveTimeout: helloMs,
    connectionsCheckingInterval: 1000,
  };
  if (tls === undefined) return createPlain(options);
  try {
    return createTls({ ...options, handshakeTimeout: helloMs, cert: tls.cert, key: tls.key });
  } catch (error) {
    throw new FlockworkError(
      "bad_argument",
      `The certificate and key can not be used: ${error instanceof Error ? error.message : String(error)}.`,
    );
  }
}

async function openBackbone(options: HubOptions, url: string): Promise<Backbone> {
  if (options.dataDir === undefined) return openEphemeral();
  const backbone = await openSqlite(options.dataDir, { durable: options.durable ?? "process" });
  backbone.announce(url);
  return backbone;
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) =>
      reject(
        error.code === "EADDRINUSE"
          ? new FlockworkError(
              "port_in_use",
              `Port ${port} on ${host} is in use; stop what listens there, or choose another with --port.`,
            )
          : new FlockworkError(
              "bad_argument",
              `The hub can not listen on ${host}:${port}: ${error.message}.`,
            ),
      ),
    );
    server.listen(port, host, () => resolve());
  });
}
