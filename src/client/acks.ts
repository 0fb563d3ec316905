// Acknowledgements of results: they gather and leave with the tick, and stay here while there is no link.
import { onTickEnd, packRuns, type MessageOf } from "../wire/index.js";

export class Acks {
  readonly #send: (ack: MessageOf<"ack">) => boolean;
  #seqs: number[] = [];
  #asked = false;

  /** `send` is false where there is no link. */
  constructor(send: (ack: MessageOf<"ack">) => boolean) {
    this.#send = send;
  }

  /** The hub need not keep this result any more. */
  add(seq: number): void {
    this.#seqs.push(seq);
    if (this.#asked) return;
    this.#asked = true;
    onTickEnd(() => {
      this.#asked = false;
      this.flush();
    });
  }

  flush(): void {
    if (this.#seqs.length === 0) return;
    if (this.#send({ t: "ack", runs: packRuns(this.#seqs) })) this.#seqs = [];
  }
}
