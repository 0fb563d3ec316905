// Answers of a node that the hub has not confirmed. They gather in columns, go out once a tick, and stay until `stored`.
import { packPayloads, type MessageOf, type Payload, type Upload } from "../wire/index.js";

interface Solved {
  readonly task: number;
  readonly attempt: number;
  readonly ms: number;
  readonly payload: Payload;
  /** Has the payload's bytes. */
  readonly upload?: Upload | undefined;
}
export type UploadedAnswer = Solved & { readonly upload: Upload };
/** An answer in a message of its own. */
export type Single = MessageOf<"failed"> | MessageOf<"computed">;
type Sent = MessageOf<"solved"> | Single;

/** Most answers, and about the most bytes, of one `solved`. */
const MAX_ANSWERS = 4096;
const MAX_BYTES = 2 * 1024 * 1024;
const NO_BYTES = new Uint8Array(0);

export class Answers {
  /** Messages the hub has not confirmed, by their first task and attempt; it confirms a message as a whole. */
  readonly #sent = new Map<string, Sent>();
  #fresh: Solved[] = [];
  /** Answers whose bytes are on their way to the hub or there, by the upload; they go out when they are there. */
  readonly #uploads = new Map<string, UploadedAnswer>();
  #size = 0;

  solved(task: number, attempt: number, ms: number, payload: Payload): void {
    this.#fresh.push({ task, attempt, ms, payload });
    this.#size++;
  }

  /** An answer whose bytes are uploaded; `uploaded` says when they are there. */
  uploading(task: number, attempt: number, ms: number, kind: number, upload: Upload): void {
    this.#uploads.set(upload.id, { task, attempt, ms, payload: { kind, bytes: NO_BYTES }, upload });
    this.#size++;
  }

  uploaded({ id }: Upload): void {
    const answer = this.#uploads.get(id);
    if (answer !== undefined) this.#fresh.push(answer);
  }

  /** Gives up the answer that an upload was for, because it failed or the hub does not have it. */
  takeUpload(id: string): UploadedAnswer | undefined {
    const answer = this.#uploads.get(id);
    if (answer === undefined) return undefined;
    this.#uploads.delete(id);
    this.#fresh = this.#fresh.filter((other) => other !== answer);
    this.#sent.delete(key(answer.task, answer.attempt));
    this.#size--;
    return answer;
  }

  /** The upload under way for an attempt. */
  uploadOf(task: number, attempt: number): Upload | undefined {
    for (const answer of this.#uploads.values())
      if (answer.task === task && answer.attempt === attempt && !answer.upload.isKept) return answer.upload;
    return undefined;
  }

  single(answer: Single): void {
    this.#sent.set(key(answer.task, answer.attempt), answer);
    this.#size++;
  }

  get hasFresh(): boolean {
    return this.#fresh.length > 0;
  }

  /** Answers that are not confirmed. */
  get size(): number {
    return this.#size;
  }

  /** The solutions since the last call, as messages. */
  *takeFresh(): Iterable<MessageOf<"solved">> {
    const fresh = this.#fresh;
    this.#fresh = [];
    for (const message of solvedMessages(fresh)) {
      this.#sent.set(key(message.tasks[0]!, message.attempts[0]!), message);
      yield message;
    }
  }

  /** Everything the hub has not confirmed, as messages: after a reconnect. */
  all(): Iterable<Sent> {
    Array.from(this.takeFresh());
    return [...this.#sent.values()];
  }

  /** The hub has these, or does not want them. */
  confirmed({ tasks, attempts }: { tasks: Float64Array; attempts: Uint16Array }): void {
    for (let i = 0; i < tasks.length;) {
      const first = key(tasks[i]!, attempts[i]!);
      const sent = this.#sent.get(first);
      this.#sent.delete(first);
      // A message of many answers is confirmed as a whole.
      const count = sent?.t === "solved" ? sent.tasks.length : 1;
      i += count;
      if (sent === undefined) continue;
      this.#size -= count;
      if (sent.t === "solved") for (const [, id] of sent.streams ?? []) this.#uploads.delete(id);
    }
  }

  /** Tasks and attempts that are answered but not confirmed. */
  *unconfirmed(): Iterable<readonly [task: number, attempt: number]> {
    for (const message of this.#sent.values())
      if (message.t === "solved")
        for (let i = 0; i < message.tasks.length; i++) yield [message.tasks[i]!, message.attempts[i]!];
      else yield [message.task, message.attempt];
    for (const { task, attempt, upload } of this.#fresh) if (upload === undefined) yield [task, attempt];
    for (const { task, attempt } of this.#uploads.values())
      if (!this.#sent.has(key(task, attempt))) yield [task, attempt];
  }
}

function key(task: number, attempt: number): string {
  return `${task}/${attempt}`;
}

function* solvedMessages(answers: readonly Solved[]): Iterable<MessageOf<"solved">> {
  for (let from = 0; from < answers.length;) {
    let to = from;
    const alone = answers[from]!.upload;
    if (alone !== undefined) to++;
    else
      for (
        let bytes = 0;
        to < answers.length &&
        to - from < MAX_ANSWERS &&
        (to === from || bytes < MAX_BYTES) &&
        answers[to]!.upload === undefined;
        to++
      )
        bytes += answers[to]!.payload.bytes.length;
    const part = answers.slice(from, to);
    yield {
      t: "solved",
      tasks: Float64Array.from(part, (answer) => answer.task),
      attempts: Uint16Array.from(part, (answer) => answer.attempt),
      ms: Float32Array.from(part, (answer) => answer.ms),
      ...packPayloads(part.map((answer) => answer.payload)),
      ...(alone !== undefined && { streams: [[0, alone.id]] }),
    };
    from = to;
  }
}
