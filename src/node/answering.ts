// What a node tells the hub of its attempts: answers, which leave with the tick or follow their upload, failures, and what it
// gives back.
import { FlockworkError } from "../ids/index.js";
import {
  onTickEnd,
  STREAM_BYTES,
  type Link,
  type MessageOf,
  type Transfers,
  type Upload,
} from "../wire/index.js";
import { Answers, type Single } from "./answers.js";
import type { Demand } from "./demand.js";
import { failureOf } from "./service.js";
import type { Attempt } from "./attempt.js";
import type { Outcome } from "./slots.js";

interface Refusal {
  readonly code: string;
  readonly message: string;
}

export class Answering {
  readonly #link: Link<"node">;
  readonly #transfers: Transfers;
  /** What to ask for with the next flush. */
  readonly #news: Demand["news"];
  readonly #answers = new Answers();
  #dropped: { tasks: number[]; attempts: number[] } = { tasks: [], attempts: [] };
  #flushAsked = false;
  #lastFlush = 0;

  constructor(link: Link<"node">, transfers: Transfers, news: Demand["news"]) {
    this.#link = link;
    this.#transfers = transfers;
    this.#news = news;
  }

  /** Answers that the hub has not confirmed. */
  get size(): number {
    return this.#answers.size;
  }

  unconfirmed(): Iterable<readonly [task: number, attempt: number]> {
    return this.#answers.unconfirmed();
  }

  confirmed(message: MessageOf<"stored">): void {
    this.#answers.confirmed(message);
  }

  /** After a break: sends what is not confirmed. */
  resend(): void {
    for (const message of this.#answers.all()) this.#link.send(message);
  }

  /** A large solution is uploaded first, and its answer follows. */
  solved({ task, attempt }: Attempt, ms: number, { kind, bytes, upload }: Outcome): void {
    if (upload !== undefined || bytes.length >= STREAM_BYTES)
      this.#answerWith(task, attempt, ms, kind, upload ?? this.#transfers.upload(bytes));
    else this.#answers.solved(task, attempt, ms, { kind, bytes });
    this.askFlush();
  }

  failed({ task, attempt }: Attempt, failure: Refusal & { readonly retry: boolean }): void {
    this.#fail(task, attempt, failure);
  }

  /** An answer in a message of its own. */
  single(answer: Single): void {
    this.#answers.single(answer);
    this.#link.send(answer);
    this.askFlush();
  }

  giveBack(task: number, attempt: number): void {
    this.#dropped.tasks.push(task);
    this.#dropped.attempts.push(attempt);
    this.askFlush();
  }

  /** An answer that is still being uploaded is given up; what is not here (any more) is given back. */
  stop(task: number, attempt: number): void {
    const upload = this.#answers.uploadOf(task, attempt);
    if (upload !== undefined) {
      this.#answers.takeUpload(upload.id);
      this.#transfers.cancel(upload);
    }
    this.giveBack(task, attempt);
  }

  /** The hub has lost an upload, by a restart: it is sent anew, or its attempt has failed. */
  uploadLost(id: string, { code, message }: Refusal): void {
    const answer = this.#answers.takeUpload(id);
    if (answer === undefined) return;
    const { task, attempt, ms, payload, upload } = answer;
    if (code === "stream_lost" && upload.whole !== undefined)
      this.#answerWith(task, attempt, ms, payload.kind, this.#transfers.upload(upload.whole));
    else this.#fail(task, attempt, failureOf(new FlockworkError(code, message)));
  }

  askFlush(): void {
    if (this.#flushAsked) return;
    this.#flushAsked = true;
    onTickEnd(() => this.flush());
  }

  /** What was answered must not wait behind a service that holds the thread. */
  flushBefore(): void {
    if (this.#flushAsked && performance.now() - this.#lastFlush > 1) this.flush();
  }

  flush(): void {
    if (!this.#flushAsked) return;
    this.#flushAsked = false;
    this.#lastFlush = performance.now();
    // First: an answer would bring the next task to a node that wants none.
    const news = this.#news();
    if (news !== undefined) this.#link.send({ t: "credit", ...news });
    for (const message of this.#answers.takeFresh()) this.#link.send(message);
    if (this.#dropped.tasks.length > 0) {
      const { tasks, attempts } = this.#dropped;
      this.#dropped = { tasks: [], attempts: [] };
      this.#link.send({
        t: "dropped",
        tasks: Float64Array.from(tasks),
        attempts: Uint16Array.from(attempts),
      });
    }
    this.#link.flush();
  }

  #answerWith(task: number, attempt: number, ms: number, kind: number, upload: Upload): void {
    this.#answers.uploading(task, attempt, ms, kind, upload);
    upload.kept.then(
      () => {
        this.#answers.uploaded(upload);
        this.askFlush();
      },
      (error: unknown) => {
        if (this.#answers.takeUpload(upload.id) !== undefined) this.#fail(task, attempt, failureOf(error));
      },
    );
  }

  #fail(task: number, attempt: number, failure: Refusal & { readonly retry: boolean }): void {
    this.single({ t: "failed", task, attempt, ...failure });
  }
}
