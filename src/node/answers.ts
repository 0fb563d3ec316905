// Answers of a node that the hub has not confirmed. They gather in columns, go out once a tick, and stay until `stored`.
import { packPayloads, type MessageOf, type Payload } from "../wire/index.js";

interface Solved {
  readonly task: number;
  readonly attempt: number;
  readonly ms: number;
  readonly payload: Payload;
}
type Sent = MessageOf<"solved"> | MessageOf<"failed">;

/** Most answers, and about the most bytes, of one `solved`. */
const MAX_ANSWERS = 4096;
const MAX_BYTES = 2 * 1024 * 1024;

export class Answers {
  /** Messages the hub has not confirmed, by their first task and attempt; it confirms a message as a whole. */
  readonly #sent = new Map<string, Sent>();
  #fresh: Solved[] = [];
  #size = 0;

  solved(task: number, attempt: number, ms: number, payload: Payload): void {
    this.#fresh.push({ task, attempt, ms, payload });
    this.#size++;
  }

  failed(answer: MessageOf<"failed">): void {
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
    if (tasks.length > 0 && this.#sent.delete(key(tasks[0]!, attempts[0]!))) this.#size -= tasks.length;
  }

  /** Tasks and attempts that are answered but not confirmed. */
  *unconfirmed(): Iterable<readonly [task: number, attempt: number]> {
    for (const message of this.#sent.values())
      if (message.t === "failed") yield [message.task, message.attempt];
      else for (let i = 0; i < message.tasks.length; i++) yield [message.tasks[i]!, message.attempts[i]!];
    for (const { task, attempt } of this.#fresh) yield [task, attempt];
  }
}

function key(task: number, attempt: number): string {
  return `${task}/${attempt}`;
}

function* solvedMessages(answers: readonly Solved[]): Iterable<MessageOf<"solved">> {
  for (let from = 0; from < answers.length;) {
    let to = from;
    for (
      let bytes = 0;
      to < answers.length && to - from < MAX_ANSWERS && (to === from || bytes < MAX_BYTES);
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
    };
    from = to;
  }
}
