// The jobs of one client that have no result yet: their numbers, who waits for them, and how much room there is for more.
import { align, eachInRuns, type MessageOf } from "../wire/index.js";
import type { Receipt, Result } from "./result.js";

/** Whoever waits for results. Each job's result comes exactly once. */
export interface Sink {
  /** Nobody wants its results any more. */
  readonly cancelled: boolean;
  settle(index: number, result: Result): void;
}

interface Ticket extends Receipt {
  readonly sink: Sink;
  readonly index: number;
}

/** Makes the result of a job that gets no solution. */
export type Ending = (index: number, receipt: Receipt) => Result;

type Submit = MessageOf<"submit">;

/** Jobs and bytes that may be on their way or waiting to be taken before a batch stops reading its source. */
const MAX_JOBS = 16_384;
const MAX_BYTES = 64 * 1024 * 1024;

export class Outstanding {
  readonly #tickets = new Map<number, Ticket>();
  #nextSeq = 0;
  #jobs = 0;
  #bytes = 0;
  #waiting: (() => void)[] = [];

  /** Sequence numbers below are taken. */
  startAt(seq: number): void {
    this.#nextSeq = Math.max(this.#nextSeq, seq);
  }

  /** Numbers a submit. Job i of it belongs to `sink` at `index + i` and has `sizes[i]` bytes. */
  add(submit: Omit<Submit, "seq">, sizes: readonly number[], sink: Sink, index: number): Submit {
    const message: Submit = { ...submit, seq: this.#nextSeq };
    const n = submit.lengths.length;
    this.#nextSeq += n;
    for (let i = 0; i < n; i++) {
      const seq = message.seq + i;
      this.#tickets.set(seq, { sink, index: index + i, seq, bytes: sizes[i]! });
      this.#bytes += align(sizes[i]!);
    }
    this.#jobs += n;
    return message;
  }

  /** Takes the ticket of a job whose result is here; undefined when it was settled before. */
  take(seq: number): Ticket | undefined {
    const ticket = this.#tickets.get(seq);
    if (ticket !== undefined) this.#tickets.delete(seq);
    return ticket;
  }

  /** Settles every job of these runs with the same error. */
  settleRuns(runs: Float64Array, result: Ending): void {
    eachInRuns(runs, (seq) => {
      const ticket = this.take(seq);
      ticket?.sink.settle(ticket.index, result(ticket.index, ticket));
    });
  }

  /** Settles everything but these. */
  settleAll(result: Ending, but: Iterable<number>): void {
    const kept = new Set(but);
    for (const [seq, ticket] of [...this.#tickets]) {
      if (kept.has(seq)) continue;
      this.#tickets.delete(seq);
      ticket.sink.settle(ticket.index, result(ticket.index, ticket));
    }
  }

  /** Numbers of a sink's jobs that have no result yet. */
  seqsOf(sink: Sink): number[] {
    const seqs: number[] = [];
    for (const [seq, ticket] of this.#tickets) if (ticket.sink === sink) seqs.push(seq);
    return seqs;
  }

  /** Numbers of the jobs without a result that nobody wants any more. */
  cancelled(): number[] {
    const seqs: number[] = [];
    for (const [seq, { sink }] of this.#tickets) if (sink.cancelled) seqs.push(seq);
    return seqs;
  }

  /** A result has been taken: there is room for another job. */
  leave({ bytes }: Receipt): void {
    this.#jobs--;
    this.#bytes -= align(bytes);
    if (this.#waiting.length === 0 || this.#full()) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resume of waiting) resume();
  }

  /** Resolves when there is room for more. */
  async room(): Promise<void> {
    while (this.#full()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #full(): boolean {
    return this.#jobs >= MAX_JOBS || this.#bytes >= MAX_BYTES;
  }
}
