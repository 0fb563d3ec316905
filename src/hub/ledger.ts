// The hub's use of its journal: what must last goes in, what is over is compacted away, and a full disk is waited out.
// It knows segments and records, not what jobs are for.
import { FlockworkError } from "../ids/index.js";
import type { Backbone, Epoch, Lsn } from "../backbone/index.js";
import type { Segment } from "./jobs.js";
import { decodeRecord, encodeRecord, type HubRecord } from "./records.js";

const RETRY_MS = 250;
/** The journal is compacted when this much of it is behind the oldest living record. */
const SLACK_BYTES = 32 * 1024 * 1024;

export interface LedgerEvents {
  /** The disk refused a write that must not be lost (false), or takes writes again (true). */
  onStorage(ok: boolean, error?: FlockworkError): void;
  /** Another hub owns the partition: this one must stop at once. */
  onFenced(error: FlockworkError): void;
  /** Writes what lives in an old segment again, so that the journal's head can be dropped. */
  rewrite(segment: Segment): Promise<void>;
}

export class Ledger {
  readonly #backbone: Backbone;
  readonly #epoch: Epoch;
  readonly #events: LedgerEvents;
  /** Segments in the order of their LSN; dead ones are dropped from the front. */
  readonly #segments: Segment[] = [];
  #head = 0;
  #written = 0;
  #compactedAt = 0;
  #compacting = false;
  #stuck = 0;
  #closed = false;

  private constructor(backbone: Backbone, epoch: Epoch, events: LedgerEvents) {
    this.#backbone = backbone;
    this.#epoch = epoch;
    this.#events = events;
  }

  static async open(backbone: Backbone, partition: string, events: LedgerEvents): Promise<Ledger> {
    return new Ledger(backbone, await backbone.journal.claim(partition), events);
  }

  /** Grows with every claim, so numbers made from it are never used twice. */
  get epoch(): number {
    return this.#epoch.epoch;
  }

  /** Whether a write that must not be lost waits for the disk. */
  get stuck(): boolean {
    return this.#stuck > 0;
  }

  async *replay(): AsyncIterable<{ lsn: Lsn; record: HubRecord; bytes: number }> {
    for await (const { lsn, record } of this.#backbone.journal.replay(this.#epoch))
      yield { lsn, record: decodeRecord(record), bytes: record.length };
  }

  /** Appends one record. Rejects with `storage_full` when the disk refuses; nothing is written then. */
  async append(record: HubRecord, encoded = encodeRecord(record)): Promise<Lsn> {
    try {
      const lsn = await this.#backbone.journal.append(this.#epoch, [encoded]);
      this.#written += encoded.length;
      return lsn;
    } catch (error) {
      if (error instanceof FlockworkError && error.code === "stale_epoch") this.#events.onFenced(error);
      throw error;
    }
  }

  /** Appends a record that must not be lost: a full disk is waited out. Rejects only when this hub is fenced off or closed. */
  insist(record: HubRecord, encoded = encodeRecord(record)): Promise<Lsn> {
    return this.untilStored(() => this.append(record, encoded));
  }

  /** Runs a write again until the disk takes it. */
  async untilStored<T>(write: () => Promise<T>): Promise<T> {
    for (let tries = 0; ; tries++) {
      try {
        const result = await write();
        if (tries > 0 && --this.#stuck === 0) this.#events.onStorage(true);
        return result;
      } catch (error) {
        if (!(error instanceof FlockworkError) || error.code !== "storage_full" || this.#closed) throw error;
        if (tries === 0 && this.#stuck++ === 0) this.#events.onStorage(false, error);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  /** Adds a segment whose record now lies at `lsn`; its `live` count decides when the record may go. */
  track(segment: Segment, lsn: Lsn): void {
    segment.lsn = lsn;
    segment.at = this.#written;
    // Appends of one tick resolve in order, but a record that was insisted on may come late.
    const last = this.#segments.at(-1);
    if (last !== undefined && last.lsn > lsn) {
      const at = this.#segments.findLastIndex((s, i) => i < this.#head || s.lsn < lsn);
      this.#segments.splice(at + 1, 0, segment);
    } else this.#segments.push(segment);
  }

  /** Drops dead records from the journal's head; copies an old living one to the tail. Cheap when there is nothing to do. */
  async compact(): Promise<void> {
    if (this.#compacting || this.#stuck > 0 || this.#closed) return;
    this.#compacting = true;
    try {
      const segments = this.#segments;
      for (;;) {
        while (this.#head < segments.length && segments[this.#head]!.live === 0) this.#head++;
        const oldest = segments[this.#head];
        if (oldest === undefined || this.#written - oldest.at < SLACK_BYTES) break;
        await this.#events.rewrite(oldest);
        if (oldest.live > 0) break;
      }
      if (this.#head > 1024 || this.#head === segments.length) {
        segments.splice(0, this.#head);
        this.#head = 0;
      }
      if (this.#written - this.#compactedAt < SLACK_BYTES / 4) return;
      this.#compactedAt = this.#written;
      const oldest = segments[this.#head];
      if (oldest !== undefined) await this.#backbone.journal.compact(this.#epoch, oldest.lsn);
    } finally {
      this.#compacting = false;
    }
  }

  close(): void {
    this.#closed = true;
  }
}
