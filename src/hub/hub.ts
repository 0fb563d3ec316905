// A hub: one port for WebSocket and HTTP, one scheduler, one journal. startHub puts the parts together and takes them apart.
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import type { Logger } from "pino";
import { openMemory, openSqlite, type Backbone } from "../backbone/index.js";
import {
  DEFAULT_PORT,
  FlockworkError,
  makeNodeId,
  randomBytes,
  randomHex,
  type NodeId,
} from "../ids/index.js";
import type { SchedulerOptions } from "../scheduler/index.js";
import { PROTOCOL_VERSION, type MessageFrom } from "../wire/index.js";
import { BlobPayloads } from "./blob-payloads.js";
import { ClientDesk } from "./client-desk.js";
import { HubCore, type HubParts } from "./core.js";
import { HubCounters } from "./counters.js";
import { handleHttp } from "./http.js";
import { Ledger } from "./ledger.js";
import { DEFAULT_LIMITS, type HubLimits } from "./limits.js";
import { hubLogger, type LogOptions } from "./log.js";
import { NodeDesk } from "./node-desk.js";
import { Peer, type Hello } from "./peer.js";
import { Recorder } from "./recorder.js";
import { recover, rewrite } from "./recovery.js";
import { threshold } from "./threshold.js";
import { SOFTWARE } from "./version.js";

export interface HubOptions {
  /** Port for WebSocket and HTTP; 0 picks a free one. Default 9999. */
  readonly port?: number;
  /** Address to listen on. Default 127.0.0.1. */
  readonly host?: string;
  /** Where the journal and the blobs are kept. Absent: in memory, gone with the process. */
  readonly dataDir?: string;
  /** What an acknowledged job survives: the death of any process (default), or loss of power as well. */
  readonly durable?: "process" | "power";
  readonly limits?: Partial<HubLimits>;
  readonly scheduler?: Partial<SchedulerOptions>;
  readonly log?: LogOptions | Logger;
  /** A file to write every event of the scheduler to, for `flockwork replay`: no payloads, at most 256 MiB with FILE.1. */
  readonly record?: string;
  /** It ends with something else, such as a main node; /healthz says so, and those who use it may start one in its place. */
  readonly passing?: boolean;
}

export interface Hub {
  readonly id: NodeId;
  /** Where nodes and clients connect, for instance ws://127.0.0.1:9999. */
  readonly url: string;
  readonly port: number;
  /** Resolves when the hub has stopped, rejects with the reason when it had to (another hub took its partition). */
  readonly stopped: Promise<void>;
  /** Takes nothing new, lets what is being stored be stored, closes. Within `withinMs`, default 10 s. */
  close(withinMs?: number): Promise<void>;
}

const PARTITION = "default";
const SWEEP_MS = 250;
const BEAT_MS = 1000;

/** Starts a hub. Rejects with `port_in_use`, `data_locked` or `storage_full`. */
export async function startHub(options: HubOptions = {}): Promise<Hub> {
  const log = hubLogger(options.log);
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const host = options.host ?? "127.0.0.1";
  const http = createServer();
  const early = threshold(http);
  // The port first: whoever loses the race for it must not touch the data.
  await listen(http, options.port ?? DEFAULT_PORT, host);
  const port = (http.address() as AddressInfo).port;
  const url = `ws://${host.includes(":") ? `[${host}]` : host}:${port}`;
  let backbone: Backbone | undefined;
  try {
    backbone = await openBackbone(options, url);
    const hub = new RunningHub({
      http,
      backbone,
      log,
      limits,
      url,
      port,
      scheduler: options.scheduler,
      passing: options.passing ?? false,
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

interface RunningOptions {
  readonly http: Server;
  readonly backbone: Backbone;
  readonly log: Logger;
  readonly limits: HubLimits;
  readonly url: string;
  readonly port: number;
  readonly scheduler: Partial<SchedulerOptions> | undefined;
  readonly record: string | undefined;
  readonly passing: boolean;
}

class RunningHub implements Hub {
  readonly id = makeNodeId("hub", randomBytes(4));
  readonly url: string;
  readonly port: number;
  readonly stopped: Promise<void>;
  readonly #options: RunningOptions;
  readonly #core: HubCore;
  readonly #peers = new Set<Peer>();
  readonly #sockets = new WebSocketServer({
    noServer: true,
    perMessageDeflate: false,
    skipUTF8Validation: true,
  });
  #parts!: HubParts;
  /** Names the journal: a client sees by it whether the jobs it was promised are still known. */
  #journalId = "";
  #sweeper: NodeJS.Timeout | undefined;
  #lastSweep = 0;
  #lastBeat = 0;
  #closing: Promise<void> | undefined;
  #resolveStopped!: (reason?: Promise<never>) => void;

  constructor(options: RunningOptions) {
    this.#options = options;
    this.url = options.url;
    this.port = options.port;
    this.#sockets.options.maxPayload = options.limits.frameBytes;
    this.#core = new HubCore(options.scheduler);
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    // Whoever does not await `stopped` must not die of its rejection.
    this.stopped.catch(() => undefined);
  }

  async start(): Promise<void> {
    const { backbone, log, limits, http, record } = this.#options;
    if (record !== undefined) this.#core.recorder = new Recorder(record, this.#core.scheduler, log);
    const ledger = await Ledger.open(backbone, PARTITION, {
      onStorage: (ok, error) => this.#storage(ok, error),
      onFenced: (error) => this.#fenced(error),
      rewrite: (segment) => rewrite(this.#parts, segment),
    });
    this.#parts = {
      log,
      limits,
      counters: new HubCounters(),
      ledger,
      blobs: new BlobPayloads(backbone.blobs, limits.blobBytes),
    };
    this.#core.clients = new ClientDesk(this.#core, this.#parts);
    this.#core.nodes = new NodeDesk(this.#core, this.#parts, backbone.kv);
    this.#journalId = await journalId(backbone);
    const open = await recover(this.#parts, this.#core.clients);
    await this.#core.nodes.expectReturns(open.length > 0);
    this.#core.clients.admission.begin(open);
    if (open.length > 0) log.info({ jobs: open.length }, "jobs recovered");
    http.on("request", (request, response) =>
      handleHttp(request, response, {
        core: this.#core,
        parts: this.#parts,
        peers: () => this.#peers.size,
        closing: () => this.#closing !== undefined,
        passing: this.#options.passing,
      }),
    );
    http.on("upgrade", (request, socket, head) => {
      this.#sockets.handleUpgrade(request, socket, head, (ws) => {
        const peer = new Peer(ws, request.socket, {
          onHello: (from, hello) => this.#welcome(from, hello),
          onBadMessage: (from, error) => {
            this.#parts.counters.badMessages++;
            log.warn({ peer: from.hello?.id, code: error.code }, error.message);
          },
          onBug: (error) => log.error({ err: error }, "a message met a bug"),
        });
        this.#peers.add(peer);
        ws.on("close", () => this.#peers.delete(peer));
      });
    });
    this.#lastSweep = performance.now();
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    log.info({ url: this.url, hub: this.id }, "hub is up");
  }

  #welcome(peer: Peer, hello: Hello) {
    if (hello.version !== PROTOCOL_VERSION)
      throw new FlockworkError(
        "version_mismatch",
        `This hub (${SOFTWARE}) speaks protocol ${PROTOCOL_VERSION}, ${hello.software} speaks ${hello.version}; install the same version of flockwork on both.`,
      );
    if (this.#closing !== undefined) throw new FlockworkError("hub_stopping", "The hub is shutting down.");
    const { clients, nodes } = this.#core;
    const welcome = {
      t: "welcome",
      version: PROTOCOL_VERSION,
      software: SOFTWARE,
      hub: this.#journalId,
      nextSeq: 0,
      missed: 0,
    } as const;
    switch (hello.role) {
      case "client": {
        const session = clients.join(peer, hello);
        peer.send({ ...welcome, ...clients.welcome(session) });
        clients.delivery.resend(session);
        return {
          onMessage: (message: MessageFrom<"client">) => clients.message(session, message),
          onClose: () => clients.closed(session, peer),
        };
      }
      case "node": {
        peer.send(welcome);
        const view = nodes.join(peer, hello);
        return {
          onMessage: (message: MessageFrom<"node">) => nodes.message(view, message),
          onClose: () => nodes.closed(view, peer),
        };
      }
      case "beat":
        peer.send(welcome);
        return { onMessage: () => undefined, onClose: nodes.beat(peer, hello) };
      default:
        return hello.role satisfies never;
    }
  }

  #sweep(): void {
    const now = performance.now();
    // A hub that was itself held up (or suspended) has not listened: it must not blame the peers.
    const late = now - this.#lastSweep - SWEEP_MS;
    this.#lastSweep = now;
    if (late > SWEEP_MS) for (const peer of this.#peers) peer.forgive(late);
    if (now - this.#lastBeat >= BEAT_MS) {
      this.#lastBeat = now;
      for (const peer of this.#peers) if (peer.hello !== undefined) peer.send({ t: "beat" });
    }
    this.#core.nodes.sweep(now);
    this.#core.clients.sweep(Date.now());
    this.#parts.ledger
      .compact()
      .catch((error: unknown) => this.#parts.log.warn({ err: error }, "the journal is not compacted"));
  }

  #storage(ok: boolean, error: FlockworkError | undefined): void {
    if (ok) {
      this.#parts.log.info("the disk takes writes again; dispatch goes on");
      this.#core.nodes.resumeDispatch();
    } else {
      this.#parts.log.error(`${error?.message ?? ""} Dispatch pauses until solutions can be stored.`);
      this.#core.handle({ type: "DispatchPaused" });
    }
  }

  #fenced(error: FlockworkError): void {
    if (this.#closing !== undefined) return;
    this.#parts.log.fatal(error.message);
    this.#closing = this.#shut(0).then(() => this.#resolveStopped(Promise.reject(error)));
  }

  close(withinMs = 10_000): Promise<void> {
    this.#closing ??= this.#shut(withinMs).then(() => this.#resolveStopped());
    return this.#closing;
  }

  async #shut(withinMs: number): Promise<void> {
    const { http, backbone, log } = this.#options;
    const deadline = performance.now() + withinMs;
    log.info("hub is stopping");
    clearInterval(this.#sweeper);
    this.#core.clients.admission.closed = true;
    this.#core.nodes.draining = true;
    this.#core.handle({ type: "DispatchPaused" });
    // Peers come back by themselves: running tasks go on at their nodes, answers wait there for the next hub.
    for (const peer of this.#peers)
      peer.refuse(new FlockworkError("hub_stopping", "The hub is shutting down."));
    await Promise.race([
      this.#idle(deadline),
      new Promise((resolve) => setTimeout(resolve, Math.max(0, withinMs - 500)).unref()),
    ]);
    for (const peer of this.#peers) peer.cut();
    this.#core.stop();
    this.#core.recorder?.close();
    this.#parts.ledger.close();
    this.#sockets.close();
    await new Promise<void>((resolve) => {
      http.close(() => resolve());
      http.closeAllConnections();
    });
    await backbone.close();
    log.info("hub has stopped");
  }

  /** Waits until every peer has gone and every submit on its way has been stored or refused. */
  async #idle(deadline: number): Promise<void> {
    const busy = () =>
      this.#peers.size > 0 ||
      [...this.#core.clients.sessions.values()].some((s) => s.admitting !== undefined);
    while (busy() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function openBackbone(options: HubOptions, url: string): Promise<Backbone> {
  if (options.dataDir === undefined) return openMemory();
  const backbone = await openSqlite(options.dataDir, { durable: options.durable ?? "process" });
  backbone.announce(url);
  return backbone;
}

async function journalId(backbone: Backbone): Promise<string> {
  const known = await backbone.kv.get("hub/journal");
  if (known !== undefined) return new TextDecoder().decode(known.value);
  const id = randomHex(8);
  await backbone.kv.put("hub/journal", new TextEncoder().encode(id));
  return id;
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
