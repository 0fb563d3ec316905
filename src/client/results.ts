// Results as they come from the hub: each goes to whoever waits for it, once, and is acknowledged when it was taken.
import { FlockworkError, JobError, type NodeId } from "../ids/index.js";
import { unpackPayloads, type MessageOf, type Transfers } from "../wire/index.js";
import type { Acks } from "./acks.js";
import { Arrivals, type Arrival } from "./arrivals.js";
import { Missed } from "./missed.js";
import type { Outstanding } from "./outstanding.js";
import { Solution, unsendable, Unsolved, type Receipt, type Result } from "./result.js";

export class Results {
  readonly #outstanding: Outstanding;
  readonly #acks: Acks;
  readonly #arrivals: Arrivals;
  /** Jobs with lower numbers are of earlier processes of this session. */
  since: number | undefined = undefined;
  /** Takes what earlier processes missed, once somebody asks for it. */
  missed: Missed | undefined = undefined;

  constructor(outstanding: Outstanding, acks: Acks, transfers: Transfers) {
    this.#outstanding = outstanding;
    this.#acks = acks;
    this.#arrivals = new Arrivals({ transfers, acknowledge: (seq) => this.#acks.add(seq) });
  }

  solutions(message: MessageOf<"solutions">): void {
    const payloads = unpackPayloads(message);
    const node = message.node as NodeId;
    const streams = new Map(message.streams);
    for (let i = 0; i < message.seqs.length; i++) {
      const payload = payloads[i];
      if (payload === undefined)
        throw new FlockworkError("bad_message", `"solutions" has fewer payloads than jobs.`);
      const seq = message.seqs[i]!;
      const size = streams.get(i);
      const arrived = (arrival: Arrival) =>
        this.settle(seq, (index, receipt) => new Solution(arrival, node, index, receipt));
      if (size === undefined) arrived({ payload });
      else if (!this.#arrivals.knows(seq))
        this.#arrivals.add(seq, payload.kind, size, arrived, (error) =>
          this.settle(seq, (index, receipt) => new Unsolved(unsendable(error), index, receipt)),
        );
    }
  }

  unsolved({ seq, code, message, reasons }: MessageOf<"unsolved">): void {
    const told = reasons.map(([node, code, text]) => ({ node, code, message: text }));
    const error = new JobError(code, message, told, told.at(-1)?.node);
    this.settle(seq, (index, receipt) => new Unsolved(error, index, receipt));
  }

  settle(seq: number, result: (index: number, receipt: Receipt) => Result): void {
    const ticket = this.#outstanding.take(seq);
    if (ticket !== undefined) ticket.sink.settle(ticket.index, result(ticket.index, ticket));
    else if (this.missed !== undefined && seq < (this.since ?? 0))
      this.missed.add(seq, result(seq, { seq, bytes: -1 }));
    // Seen before: the acknowledgement was lost with a link.
    else this.#acks.add(seq);
  }

  /** Whoever got a result has moved on. */
  taken(receipt: Receipt): void {
    if (receipt.bytes >= 0) this.#outstanding.leave(receipt);
    if (receipt.seq >= 0 && this.#arrivals.taken(receipt.seq)) this.#acks.add(receipt.seq);
  }
}
