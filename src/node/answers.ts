// Answers of a node that the hub has not confirmed. They gather in columns, go out once a tick, and stay until `stored`.
import { packPayloads, type MessageOf, type Payload } from "../wire/index.js";

interface Solved {
  readonly t: "solved";
  readonly task: number;
  readonly attempt: number;
  readonly ms: number;
  readonly payload: Payload;
}
type Answer = Solved | MessageOf<"failed">;

/** Most answers, and about the most bytes, of one `solved`. */
const MAX_ANSWERS = 4096;
const MAX_BYTES = 2 * 1024 * 1024;

export class Answers {
  /** By task, in the order they were given; a later attempt of a task replaces an earlier one. */
  readonly #unconfirmed = new Map<number, Answer>();
  #fresh: Solved[] = [];

  solved(task: number, attempt: number, ms: number, payload: Payload): void {
    const answer: Solved = { t: "solved", task, attempt, ms, payload };
    this.#unconfirmed.set(task, answer);
    this.#fresh.push(answer);
  }

  failed(answer: MessageOf<"failed">): void {
    this.#unconfirmed.set(answer.task, answer);
  }

  get hasFresh(): boolean {
    return this.#fresh.length > 0;
  }

  /** The solutions since the last call, as messages. */
  *takeFresh(): Iterable<MessageOf<"solved">> {
    const fresh = this.#fresh;
    this.#fresh = [];
    yield* solvedMessages(fresh);
  }

  /** Everything the hub has not confirmed, as messages: after a reconnect. */
  *all(): Iterable<MessageOf<"solved"> | MessageOf<"failed">> {
    this.#fresh = [];
    const answers = [...this.#unconfirmed.values()];
    yield* solvedMessages(answers.filter((answer) => answer.t === "solved"));
    yield* answers.filter((answer) => answer.t === "failed");
  }

  /** The hub has these, or does not want them. */
  confirmed({ tasks, attempts }: { tasks: Float64Array; attempts: Uint16Array }): void {
    for (let i = 0; i < tasks.length; i++) {
      const task = tasks[i]!;
      if (this.#unconfirmed.get(task)?.attempt === attempts[i]) this.#unconfirmed.delete(task);
    }
  }

  /** Tasks and attempts that are answered but not confirmed. */
  *unconfirmed(): Iterable<readonly [task: number, attempt: number]> {
    for (const { task, attempt } of this.#unconfirmed.values()) yield [task, attempt];
  }

  get size(): number {
    return this.#unconfirmed.size;
  }
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
