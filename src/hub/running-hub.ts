// A hub at work: it welcomes peers to their desks, watches the clock, and stops in good order.
import type { Server } from "node:http";
import type { Logger } from "pino";
import type { Backbone } from "../backbone/index.js";
import { FlockworkError, makeNodeId, randomBytes, randomHex, type NodeId } from "../ids/index.js";
import type { SchedulerOptions } from "../scheduler/index.js";
import { PROTOCOL_VERSION, type MessageFrom } from "../wire/index.js";
import { BlobPayloads } from "./blob-payloads.js";
import { ClientDesk } from "./client-desk.js";
import { HubCore, type HubParts } from "./core.js";
import { HubCounters } from "./counters.js";
import { Entrance } from "./entrance.js";
import { EventFeed, Watch } from "./events/index.js";
import type { Gate } from "./gate.js";
import { GraphDesk } from "./graphs/graph-desk.js";
import { handleHttp } from "./http.js";
import { HeldPayloads } from "./held-payloads.js";
import { Ledger } from "./ledger.js";
import type { HubLimits } from "./limits.js";
import { NodeDesk } from "./node-desk.js";
import { Pages } from "./pages.js";
import type { Peer, Hello } from "./peer.js";
import { Recorder } from "./recorder.js";
import { recover, rewrite } from "./recovery.js";
import type { TokenStore } from "./tokens.js";
import { Transfers } from "./transfers.js";
import { SOFTWARE } from "./version.js";

export interface Hub {
  readonly id: NodeId;
  /** Where nodes and clients connect, for instance ws://127.0.0.1:9999. */
  readonly url: string;
  readonly port: number;
  /** Who may come in; empty where no token is asked for. */
  readonly tokens: TokenStore;
  /** Whether a token is asked for. */
  readonly asksToken: boolean;
  /** Resolves when the hub has stopped, rejects with the reason when it had to (another hub took its partition). */
  readonly stopped: Promise<void>;
  /** Takes nothing new, lets what is being stored be stored, closes. Within `withinMs`, default 10 s. */
  close(withinMs?: number): Promise<void>;
}

const PARTITION = "default";
/** Where `npm run build` leaves the pages. */
const PAGES = new URL("../web/", import.meta.url);
const SWEEP_MS = 250;
const BEAT_MS = 1000;

export interface RunningOptions {
  readonly http: Server;
  readonly backbone: Backbone;
  readonly log: Logger;
  readonly limits: HubLimits;
  readonly url: string;
  readonly port: number;
  readonly tokens: TokenStore;
  readonly gate: Gate;
  readonly asksToken: boolean;
  readonly passing: boolean;
  /** Whether what is stored outlives this process. */
  readonly lasting: boolean;
  readonly record: string | undefined;
  readonly scheduler: Partial<SchedulerOptions> | undefined;
}

export class RunningHub implements Hub {
  readonly id = makeNodeId("hub", randomBytes(4));
  readonly url: string;
  readonly port: number;
  readonly tokens: TokenStore;
  readonly asksToken: boolean;
  readonly stopped: Promise<void>;
  readonly #options: RunningOptions;
  readonly #core: HubCore;
  #parts!: HubParts;
  #entrance!: Entrance;
  #feed!: EventFeed;
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
    this.tokens = options.tokens;
    this.asksToken = options.asksToken;
    this.#core = new HubCore(options.scheduler);
    this.stopped = new Promise((resolve) => {
      this.#resolveStopped = resolve;
    });
    // Whoever does not await `stopped` must not die of its rejection.
    this.stopped.catch(() => undefined);
  }

  async start(): Promise<void> {
    const { backbone, log, limits, http, gate, record, lasting } = this.#options;
    if (record !== undefined) this.#core.recorder = new Recorder(record, this.#core.scheduler, log);
    const ledger = await Ledger.open(backbone, PARTITION, {
      onStorage: (ok, error) => this.#storage(ok, error),
      onFenced: (error) => this.#fenced(error),
      rewrite: (segment) => rewrite(this.#parts, segment),
    });
    const blobs = new BlobPayloads(
      backbone.blobs,
      limits.blobBytes,
      new HeldPayloads(limits.heldBytes),
      lasting,
    );
    this.#parts = {
      log,
      limits,
      counters: new HubCounters(),
      ledger,
      blobs,
      transfers: new Transfers(blobs, limits, log),
      watch: new Watch(),
    };
    this.#core.clients = new ClientDesk(this.#core, this.#parts);
    this.#core.nodes = new NodeDesk(this.#core, this.#parts, backbone.kv);
    this.#core.graphs = new GraphDesk(this.#core, this.#parts, backbone.kv);
    await this.#core.graphs.kept.begin();
    this.#journalId = await journalId(backbone);
    const open = await recover(this.#parts, this.#core.clients);
    await this.#core.nodes.expectReturns(open.length > 0);
    this.#core.clients.admission.begin(open);
    if (open.length > 0) log.info({ jobs: open.length }, "jobs recovered");
    this.#parts.watch.submitted(open);
    this.#feed = new EventFeed({
      core: this.#core,
      parts: this.#parts,
      hub: { id: this.id, software: SOFTWARE },
      traffic: () => this.#entrance.traffic(),
    });
    const pages = new Pages(PAGES);
    http.on("request", (request, response) =>
      handleHttp(request, response, {
        core: this.#core,
        parts: this.#parts,
        gate,
        feed: this.#feed,
        pages,
        closing: () => this.#closing !== undefined,
        passing: this.#options.passing,
      }),
    );
    this.#entrance = new Entrance({
      http,
      gate,
      limits,
      log,
      counters: this.#parts.counters,
      watch: this.#parts.watch,
      onHello: (peer, hello) => this.#welcome(peer, hello),
    });
    this.#lastSweep = performance.now();
    this.#sweeper = setInterval(() => this.#sweep(), SWEEP_MS);
    log.info({ url: this.url, hub: this.id }, "hub is up");
  }

  #welcome(peer: Peer, hello: Hello) {
    if (this.#closing !== undefined) throw new FlockworkError("hub_stopping", "The hub is shutting down.");
    const { clients, nodes } = this.#core;
    const { bearer, proof } = this.#options.gate.admit(hello, peer.nonce);
    peer.bearer = bearer;
    const welcome = {
      t: "welcome",
      version: PROTOCOL_VERSION,
      software: SOFTWARE,
      hub: this.#journalId,
      boot: this.id,
      nextSeq: 0,
      missed: 0,
      ...(proof !== undefined && { proof }),
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
        return { onMessage: onlyBeats, onClose: nodes.beat(peer, hello) };
      default:
        return hello.role satisfies never;
    }
  }

  #sweep(): void {
    const now = performance.now();
    // A hub that was itself held up (or suspended) has not listened: it must not blame the peers.
    const late = now - this.#lastSweep - SWEEP_MS;
    this.#lastSweep = now;
    if (late > SWEEP_MS) for (const peer of this.#entrance.peers) peer.forgive(late);
    if (now - this.#lastBeat >= BEAT_MS) {
      this.#lastBeat = now;
      for (const peer of this.#entrance.peers) if (peer.hello !== undefined) peer.send({ t: "beat" });
    }
    this.#dropRevoked();
    this.#dropHoarders(now);
    this.#feed.tick(Date.now());
    this.#core.nodes.sweep(now);
    this.#parts.transfers.sweep(now);
    this.#core.clients.sweep(Date.now());
    this.#core.graphs.sweep(Date.now());
    this.#parts.ledger
      .compact()
      .catch((error: unknown) => this.#parts.log.warn({ err: error }, "the journal is not compacted"));
  }

  /** Cuts those who do not read what they are sent, and, of unfinished frames, the largest until the rest is within its limit. */
  #dropHoarders(now: number): void {
    const { limits, log } = this.#parts;
    const peers = [...this.#entrance.peers];
    for (const peer of peers)
      if (peer.stalled(now)) {
        log.warn({ peer: peer.hello?.id, waiting: peer.bufferedAmount }, "peer does not read; cut off");
        peer.cut();
      }
    let bytes = 0;
    for (const peer of peers) bytes += peer.unfinishedBytes;
    if (bytes <= limits.unfinishedBytes) return;
    for (const peer of peers.sort((a, b) => b.unfinishedBytes - a.unfinishedBytes)) {
      log.warn({ peer: peer.hello?.id, bytes: peer.unfinishedBytes }, "unfinished frame; cut off");
      bytes -= peer.unfinishedBytes;
      peer.cut();
      if (bytes <= limits.unfinishedBytes) return;
    }
  }

  /** Closes the connections of tokens that are not there any more. */
  #dropRevoked(): void {
    try {
      this.tokens.refresh();
    } catch (error) {
      this.#parts.log.error((error as Error).message);
    }
    for (const peer of this.#entrance.peers) {
      const token = peer.bearer?.token;
      if (token !== undefined && this.tokens.find(token) === undefined)
        peer.refuse(new FlockworkError("unauthorized", `Token ${token} was revoked; ask for a new one.`));
    }
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
    for (const peer of this.#entrance.peers)
      peer.refuse(new FlockworkError("hub_stopping", "The hub is shutting down."));
    await Promise.race([
      this.#idle(deadline),
      new Promise((resolve) => setTimeout(resolve, Math.max(0, withinMs - 500)).unref()),
    ]);
    for (const peer of this.#entrance.peers) peer.cut();
    this.#core.stop();
    this.#core.recorder?.close();
    this.#parts.ledger.close();
    this.#feed.close();
    this.#entrance.close();
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
      this.#entrance.peers.size > 0 ||
      [...this.#core.clients.sessions.values()].some((s) => s.admitting !== undefined);
    while (busy() && performance.now() < deadline) await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

async function journalId(backbone: Backbone): Promise<string> {
  const known = await backbone.kv.get("hub/journal");
  if (known !== undefined) return new TextDecoder().decode(known.value);
  const id = randomHex(8);
  await backbone.kv.put("hub/journal", new TextEncoder().encode(id));
  return id;
}

/** Beats themselves do not get here. */
function onlyBeats(): never {
  throw new FlockworkError("bad_message", "A connection says hello once.");
}
