// For tests: a hub's parts without a port, driven by hand. Nodes are events; a client is a session nobody is connected to.
import { pino } from "pino";
import { openMemory, type Backbone } from "../backbone/index.js";
import type { Domain, NodeId, TaskId } from "../ids/index.js";
import type { Assignment } from "../scheduler/index.js";
import { packPayloads, packRuns, type Payload } from "../wire/index.js";
import { BlobPayloads } from "./blob-payloads.js";
import { ClientDesk } from "./client-desk.js";
import { payloadAt } from "./columns.js";
import { HubCore, type HubParts } from "./core.js";
import { HubCounters } from "./counters.js";
import { GraphDesk } from "./graphs/graph-desk.js";
import { Watch } from "./events/index.js";
import type { Job } from "./jobs.js";
import { Ledger } from "./ledger.js";
import { DEFAULT_LIMITS } from "./limits.js";
import { NodeDesk } from "./node-desk.js";
import { recover, rewrite } from "./recovery.js";
import { Transfers } from "./transfers.js";
import type { ClientSession } from "./sessions.js";

export const DOMAIN = "166" as Domain;
export const NODE = "worker.00.00.00.01" as NodeId;
/** Payloads from here on become blobs. */
export const BLOB_BYTES = 64;
const SLACK_BYTES = 64;

/** Writes down what it would have sent. */
class RecordingDesk extends NodeDesk {
  readonly sent: Assignment<Job>[] = [];

  override dispatch(_node: NodeId, assignments: readonly Assignment<Job>[]): void {
    this.sent.push(...assignments);
  }
}

export class HubRig {
  readonly core = new HubCore({ graceMs: 1e9 });
  readonly nodes: RecordingDesk;

  private constructor(
    readonly backbone: Backbone,
    readonly parts: HubParts,
  ) {
    this.nodes = new RecordingDesk(this.core, parts, backbone.kv);
    this.core.nodes = this.nodes;
    this.core.clients = new ClientDesk(this.core, parts);
    this.core.graphs = new GraphDesk(this.core, parts, backbone.kv);
  }

  /** A hub that has replayed what a backbone holds. */
  static async open(backbone = openMemory()): Promise<HubRig> {
    const events = {
      onStorage: () => undefined,
      onFenced: () => undefined,
      rewrite: (segment: Parameters<typeof rewrite>[1]) => rewrite(parts, segment),
    };
    const log = pino({ level: "silent" });
    const blobs = new BlobPayloads(backbone.blobs, BLOB_BYTES);
    const parts: HubParts = {
      log,
      limits: DEFAULT_LIMITS,
      counters: new HubCounters(),
      ledger: await Ledger.open(backbone, "default", events, SLACK_BYTES),
      blobs,
      transfers: new Transfers(blobs, DEFAULT_LIMITS, log),
      watch: new Watch(),
    };
    const rig = new HubRig(backbone, parts);
    const open = await recover(parts, rig.core.clients);
    rig.core.clients.admission.begin(open);
    return rig;
  }

  session(name: string): ClientSession {
    return this.core.clients.session(DOMAIN, "local", name, true);
  }

  /** A node with many slots: everything that waits is dispatched. */
  join(slots = 1000): void {
    this.core.handle({
      type: "NodeJoined",
      node: NODE,
      domain: DOMAIN,
      slots,
      window: slots,
      services: ["upper", "lower"],
      idempotent: [],
    });
  }

  submit(
    session: ClientSession,
    seq: number,
    payloads: readonly Payload[],
    options: { service?: string; inputs?: number[] } = {},
  ): void {
    const { service = "upper", ...rest } = options;
    this.core.clients.message(session, { t: "submit", seq, service, ...rest, ...packPayloads(payloads) });
  }

  /** The node answers these. */
  solve(assignments: readonly Assignment<Job>[], payloads: readonly Payload[]): void {
    const message = {
      t: "solved",
      tasks: Float64Array.from(assignments, ({ task }) => task),
      attempts: Uint16Array.from(assignments, ({ attempt }) => attempt),
      ms: new Float32Array(assignments.length),
      ...packPayloads(payloads),
    } as const;
    const { tasks, attempts, ms } = message;
    this.core.handle({ type: "AttemptsDone", node: NODE, tasks, attempts, ms }, message);
  }

  /** The node answers that this can not be done. */
  fail({ task, attempt }: { task: TaskId; attempt: number }): void {
    this.core.handle({
      type: "AttemptFailed",
      node: NODE,
      task,
      attempt,
      code: "out_of_stock",
      message: "none left",
      retry: false,
    });
  }

  acknowledge(session: ClientSession, seqs: readonly number[]): void {
    this.core.clients.message(session, { t: "ack", runs: packRuns(seqs) });
  }

  cancel(session: ClientSession, seqs: readonly number[]): void {
    this.core.clients.message(session, { t: "cancel", runs: packRuns(seqs) });
  }

  /** Waits until nothing is on its way to the journal or the blobs. */
  async rest(): Promise<void> {
    const busy = () =>
      [...this.core.clients.sessions.values()].some(
        (session) =>
          session.admitting !== undefined ||
          [...session.jobs.values()].some((job) => job.over && !job.stored),
      );
    do for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
    while (busy());
  }

  /** Bytes of the journal. */
  async journal(): Promise<number> {
    const epoch = { partition: "default", epoch: this.parts.ledger.epoch };
    let bytes = 0;
    for await (const { record } of this.backbone.journal.replay(epoch)) bytes += record.length;
    return bytes;
  }

  async blobs(): Promise<string[]> {
    const hashes: string[] = [];
    for await (const { hash } of this.backbone.blobs.list()) hashes.push(hash);
    return hashes.sort();
  }

  /** The content of a job's own payload, or of its result. */
  async content(job: Job, what: "source" | "result"): Promise<string> {
    const segment = what === "source" ? job.source : job.result;
    const index = what === "source" ? job.index : job.resultIndex;
    if (segment === undefined) return "none";
    if (segment.record.k === "unsolved") return `unsolved ${segment.record.code} ${segment.record.message}`;
    const { kind, bytes } = payloadAt(segment, index);
    const blob = segment.blobs?.get(index);
    const content = blob === undefined ? bytes : await this.parts.blobs.read(blob.hash);
    return `${kind} ${Buffer.from(content).toString("hex")}`;
  }

  stop(): void {
    this.core.stop();
    this.parts.ledger.close();
  }
}
