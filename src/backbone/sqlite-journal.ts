// The journal on SQLite: a table of records per partition, and group commit: all appends of one turn of the event
// loop share a transaction, each still judged by its own epoch.

import type Database from "better-sqlite3";
import { checkCount, checkEpoch, checkName, checkRecords, staleEpoch } from "./arguments.js";
import type { Epoch, Journal, JournalRecord, Lsn } from "./backbone.js";
import { plain } from "./bytes.js";
import type { SqliteFile } from "./database.js";

/** How much one step of a replay reads before the event loop gets its turn. */
const REPLAY_STEP_BYTES = 2 ** 20;
const REPLAY_STEP_RECORDS = 512;
/** How long one step of a compaction may keep the event loop. */
const COMPACT_STEP_MS = 2;

interface Append {
  readonly epoch: Epoch;
  readonly records: readonly Uint8Array[];
  readonly bytes: number;
  readonly resolve: (first: Lsn) => void;
  readonly reject: (error: unknown) => void;
}

interface Head {
  readonly epoch: number;
  readonly next: Lsn;
}

/** The statements of one partition's table. */
interface PartitionTable {
  readonly head: Database.Statement<[], Head>;
  readonly insert: Database.Statement<[Lsn, Uint8Array]>;
  readonly from: Database.Statement<[Lsn, Lsn], { lsn: Lsn; record: Buffer }>;
  readonly first: Database.Statement<[], { lsn: Lsn | null }>;
  readonly drop: Database.Statement<[Lsn]>;
  readonly raiseFloor: Database.Statement<[Lsn]>;
}

export class SqliteJournal implements Journal {
  readonly #file: SqliteFile;
  readonly #tables = new Map<string, PartitionTable>();
  #pending: Append[] = [];
  #scheduled: NodeJS.Immediate | undefined;

  constructor(file: SqliteFile) {
    this.#file = file;
  }

  async claim(partition: string): Promise<Epoch> {
    checkName("partition", partition);
    this.flush();
    const { id, epoch } = this.#file.transaction(() => {
      const row = this.#file
        .prepare<[string], { id: number; epoch: number }>(
          `INSERT INTO partition (name, epoch, floor) VALUES (?, 1, 1)
           ON CONFLICT (name) DO UPDATE SET epoch = epoch + 1 RETURNING id, epoch`,
        )
        .get(partition)!;
      this.#file.execute(
        `CREATE TABLE IF NOT EXISTS journal_${row.id} (lsn INTEGER PRIMARY KEY, record BLOB NOT NULL)`,
      );
      return row;
    });
    this.#tables.set(partition, this.#prepareTable(id));
    return { partition, epoch };
  }

  append(epoch: Epoch, records: readonly Uint8Array[]): Promise<Lsn> {
    return new Promise((resolve, reject) => {
      checkEpoch(epoch);
      checkRecords(records);
      const bytes = records.reduce((sum, record) => sum + record.length, 0);
      this.#pending.push({ epoch, records, bytes, resolve, reject });
      this.#scheduled ??= setImmediate(() => this.flush());
    });
  }

  flush(): void {
    clearImmediate(this.#scheduled);
    this.#scheduled = undefined;
    const batch = this.#pending;
    if (batch.length === 0) return;
    this.#pending = [];
    let outcomes: (Lsn | Error)[];
    try {
      this.#file.reserve(batch.reduce((sum, { bytes }) => sum + bytes, 0));
      outcomes = this.#file.transaction(() => this.#write(batch));
    } catch (error) {
      // The disk refused: everything of this turn shares the refusal, so that the order of a partition has no holes.
      for (const { reject } of batch) reject(error);
      return;
    }
    batch.forEach(({ resolve, reject }, i) => {
      const outcome = outcomes[i]!;
      if (typeof outcome === "number") resolve(outcome);
      else reject(outcome);
    });
  }

  #write(batch: readonly Append[]): (Lsn | Error)[] {
    const heads = new Map<string, Head & { next: Lsn }>();
    return batch.map(({ epoch: { partition, epoch }, records }) => {
      let head = heads.get(partition);
      const table = this.#table(partition);
      if (!head) heads.set(partition, (head = { ...(table?.head.get() ?? { epoch: 0, next: 0 }) }));
      if (!table || head.epoch !== epoch) return staleEpoch(partition, epoch, head.epoch);
      const first = head.next;
      for (const record of records) table.insert.run(head.next++, record);
      return first;
    });
  }

  async *replay(epoch: Epoch): AsyncIterable<JournalRecord> {
    checkEpoch(epoch);
    this.flush();
    const end = this.#current(epoch).next;
    let next = 0;
    while (next < end) {
      this.#current(epoch);
      const step = this.#readStep(epoch.partition, next, end);
      if (step.length === 0) return;
      yield* step;
      next = step.at(-1)!.lsn + 1;
    }
  }

  /** Reads whole steps, since an open query would keep the connection from everything else. */
  #readStep(partition: string, from: Lsn, end: Lsn): JournalRecord[] {
    return this.#file.read(() => {
      const step: JournalRecord[] = [];
      let bytes = 0;
      for (const { lsn, record } of this.#table(partition)!.from.iterate(from, end)) {
        step.push({ lsn, record: plain(record) });
        bytes += record.byteLength;
        if (bytes >= REPLAY_STEP_BYTES || step.length >= REPLAY_STEP_RECORDS) break;
      }
      return step;
    });
  }

  async compact(epoch: Epoch, before: Lsn): Promise<void> {
    checkEpoch(epoch);
    checkCount("before", before);
    this.flush();
    for (let rows = 64, done = false; !done;) {
      const began = performance.now();
      done = this.#file.transaction(() => this.#dropStep(epoch, before, rows));
      const took = performance.now() - began;
      if (took < COMPACT_STEP_MS / 2) rows *= 2;
      else if (took > COMPACT_STEP_MS) rows = Math.max(1, rows >> 1);
      if (!done) await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #dropStep(epoch: Epoch, before: Lsn, rows: number): boolean {
    const { next } = this.#current(epoch);
    const table = this.#table(epoch.partition)!;
    const end = Math.min(before, next);
    const first = table.first.get()!.lsn;
    if (first === null || first >= end) return true;
    const until = Math.min(end, first + rows);
    if (until === next) table.raiseFloor.run(next); // an empty table no longer knows which LSNs were used
    table.drop.run(until);
    return until === end;
  }

  #current({ partition, epoch }: Epoch): Head {
    return this.#file.read(() => {
      const head = this.#table(partition)?.head.get();
      if (head?.epoch !== epoch) throw staleEpoch(partition, epoch, head?.epoch ?? 0);
      return head;
    });
  }

  #table(partition: string): PartitionTable | undefined {
    const known = this.#tables.get(partition);
    if (known) return known;
    const row = this.#file
      .prepare<[string], { id: number }>("SELECT id FROM partition WHERE name = ?")
      .get(partition);
    if (!row) return undefined;
    const table = this.#prepareTable(row.id);
    this.#tables.set(partition, table);
    return table;
  }

  #prepareTable(id: number): PartitionTable {
    const file = this.#file;
    const table = `journal_${id}`;
    return {
      head: file.prepare(
        `SELECT epoch, max(floor, ifnull((SELECT max(lsn) + 1 FROM ${table}), 0)) AS next FROM partition WHERE id = ${id}`,
      ),
      insert: file.prepare(`INSERT INTO ${table} (lsn, record) VALUES (?, ?)`),
      from: file.prepare(`SELECT lsn, record FROM ${table} WHERE lsn >= ? AND lsn < ? ORDER BY lsn`),
      first: file.prepare(`SELECT min(lsn) AS lsn FROM ${table}`),
      drop: file.prepare(`DELETE FROM ${table} WHERE lsn < ?`),
      raiseFloor: file.prepare(`UPDATE partition SET floor = ? WHERE id = ${id}`),
    };
  }
}
