// The hub's use of its journal: what must last goes in, what is over is compacted away, and a full disk is waited out.
// It knows segments and records, not what jobs are for.
import { FlockworkError } from "../ids/index.js";
import type { Backbone, Epoch, Lsn } from "../backbone/index.js";
import { onTickEnd } from "../wire/index.js";
import type { Segment } from "./jobs.js";
import { decodeRecord, encodeRecord, type HubRecord } from "./records.js";

const RETRY_MS = 250;
/** The journal may hold this much that is dead before living records are copied to let it go. */
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
  readonly #slackBytes: number;
  /** Segments in the order of their LSN; dead ones are dropped from the front. */
  readonly #segments: Segment[] = [];
  #head = 0;
  #written = 0;
  #lastLsn = 0;
  #compactedAt = 0;
  #compacting = false;
  #stuck = 0;
  #closed = false;
  #flushAsked = false;

  private constructor(backbone: Backbone, epoch: Epoch, events: LedgerEvents, slackBytes: number) {
    this.#backbone = backbone;
    this.#epoch = epoch;
    this.#events = events;
    this.#slackBytes = slackBytes;
  }

  static async open(
    backbone: Backbone,
    partition: string,
    events: LedgerEvents,
    slackBytes = SLACK_BYTES,
  ): Promise<Ledger> {
    return new Ledger(backbone, await backbone.journal.claim(partition), events, slackBytes);
  }

  /** Segments that are not compacted away. */
  *segments(): Iterable<Segment> {
    for (let i = this.#head; i < this.#segments.length; i++) yield this.#segments[i]!;
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
      const stored = this.#backbone.journal.append(this.#epoch, [encoded]);
      // All records of a turn go in one transaction, at the end that the turn's frames have too.
      if (!this.#flushAsked) {
        this.#flushAsked = true;
        onTickEnd(() => {
          this.#flushAsked = false;
          this.#backbone.journal.flush();
        });
      }
      const lsn = await stored;
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
    this.#lastLsn = Math.max(this.#lastLsn, lsn);
    // Appends of one tick resolve in order, but a record that was insisted on may come late.
    const last = this.#segments.at(-1);
    if (last !== undefined && last.lsn > lsn) {
      const at = this.#segments.findLastIndex((s, i) => i < this.#head || s.lsn < lsn);
      this.#segments.splice(at + 1, 0, segment);
    } else this.#segments.push(segment);
  }

  /**
   * Drops dead records from the journal's head, and copies living ones that lie in front of many dead ones to the tail.
   * Copies at most what lives, and only when more than that is dead, so that the journal's size stays within a factor of
   * what lives and each byte is copied about once for each that was written. Cheap when there is nothing to do.
   */
  async compact(): Promise<void> {
    if (this.#compacting || this.#stuck > 0 || this.#closed) return;
    if (this.#written - this.#compactedAt < this.#slackBytes / 4) return;
    this.#compacting = true;
    try {
      this.#compactedAt = this.#written;
      const enough = this.#slackBytes + 2 * this.#livingBytes();
      for (let oldest = this.#oldest(); oldest !== undefined; oldest = this.#oldest()) {
        // Behind this mark lies what was copied just now.
        if (oldest.at > this.#compactedAt || this.#written - oldest.at < enough) break;
        await this.#events.rewrite(oldest);
        if (oldest.live > 0) break;
      }
      // Records that resolved in this turn have their segments tracked by its end.
      await new Promise((resolve) => setImmediate(resolve));
      if (this.#closed) return;
      const before = this.#oldest()?.lsn ?? this.#lastLsn + 1;
      if (this.#head > 1024 || this.#head === this.#segments.length) {
        this.#segments.splice(0, this.#head);
        this.#head = 0;
      }
      if (before > 0) await this.#backbone.journal.compact(this.#epoch, before);
    } finally {
      this.#compacting = false;
    }
  }

  /** The first segment that somebody needs. */
  #oldest(): Segment | undefined {
    while (this.#head < this.#segments.length && this.#segments[this.#head]!.live === 0) this.#head++;
    return this.#segments[this.#head];
  }

  #livingBytes(): number {
    let bytes = 0;
    for (let i = this.#head; i < this.#segments.length; i++) {
      const segment = this.#segments[i]!;
      bytes += (segment.bytes * segment.live) / Math.max(1, segment.jobs.length);
    }
    return bytes;
  }

  close(): void {
    this.#closed = true;
  }
}
