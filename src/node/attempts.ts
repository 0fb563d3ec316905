// Attempts as messages name them: what a `run` asks for, with its payloads, and the columns of the others.
import { FlockworkError, type NodeId } from "../ids/index.js";
import { unpackPayloads, type MessageOf, type Payload, type RemotePayload } from "../wire/index.js";
import type { ServiceAttempt } from "./attempt.js";

/** The attempts of a `run`. What lies at the hub is fetched when it is read. */
export function* attemptsOf(
  message: MessageOf<"run">,
  fetch: (of: MessageOf<"fetch">["of"], bytes: number) => AsyncIterable<Uint8Array>,
): Iterable<ServiceAttempt> {
  const { tasks, attempts, clients, from, seqs, inputs, service, attemptTimeoutMs, streams } = message;
  const sizes = new Map(streams);
  const payloads = unpackPayloads(message);
  for (let i = 0, at = 0; i < tasks.length; i++) {
    const count = inputs?.[i] ?? 1;
    const task = tasks[i]!;
    const attempt = attempts[i]!;
    let others: readonly (Payload | RemotePayload)[] =
      count === 1 ? NONE : payloads.slice(at + 1, at + count);
    let payload: Payload | RemotePayload | undefined = payloads[at];
    if (payload === undefined)
      throw new FlockworkError("bad_message", `"run" has fewer payloads than tasks.`);
    if (sizes.size > 0) {
      const first = at;
      const wherever = (payload: Payload | RemotePayload, index: number): Payload | RemotePayload => {
        const size = sizes.get(first + index);
        if (size === undefined) return payload;
        return { kind: payload.kind, size, open: () => fetch({ task, attempt, index }, size) };
      };
      payload = wherever(payload, 0);
      others = others.map((input, n) => wherever(input, n + 1));
    }
    yield {
      task,
      attempt,
      service,
      client: clients[from?.[i] ?? 0] as NodeId,
      seq: seqs[i]!,
      timeoutMs: attemptTimeoutMs,
      payload,
      inputs: others,
    };
    at += count;
  }
}

const NONE: readonly never[] = [];

/** Calls `visit` for each attempt that a message names. */
export function eachAttempt(
  { tasks, attempts }: { tasks: Float64Array; attempts: Uint16Array },
  visit: (task: number, attempt: number) => void,
): void {
  for (let i = 0; i < tasks.length; i++) visit(tasks[i]!, attempts[i]!);
}
