// What a task needs before it can start: its program and its inputs. What is not here is fetched by way of the hub, once, however
// many tasks need it.
import { FlockworkError } from "../../ids/index.js";
import { MAX_MODEL_BYTES, readStream, sha256Hex, type MessageOf } from "../../wire/index.js";
import type { Claim, ValueStore } from "../values/value-store.js";
import type { Programs } from "./programs.js";
import { SharedFetches, type Share } from "./shared-fetches.js";

/** An input of a task: what the hub says of it, and its bytes where they came along. */
export interface InputFacts {
  readonly name: string;
  readonly bytes: number;
  readonly sha256?: string | undefined;
  readonly inline?: Uint8Array | undefined;
}

/** Brings bytes of the hub, from the beginning, as they come. */
export type FetchStream = (of: MessageOf<"fetch">["of"], bytes: number) => AsyncGenerator<Uint8Array, void>;

/** Everything for one task, once `ready` has resolved. */
export interface Provision {
  /** Rejects with why the task can not run here: `value_lost`, `wrong_result`, `out_of_memory`, ... */
  readonly ready: Promise<void>;
  /** The program's model. */
  readonly model: Uint8Array;
  /** Its inputs in their order: values of the store, or bytes that came along. */
  readonly inputs: readonly (Claim | Uint8Array)[];
  /** The task needs it no more. */
  leave(): void;
}

/** Fetches at the same time: few, for they share one link, and each takes a window of memory. */
const AT_ONCE = 8;

export class Provisions {
  readonly #store: ValueStore;
  readonly #programs: Programs;
  readonly #fetch: FetchStream;
  readonly #held: (name: string, bytes: number) => void;
  readonly #values = new SharedFetches<Claim>(AT_ONCE, (claim) => claim.release());
  readonly #models = new SharedFetches<Uint8Array>(AT_ONCE);
  /** Values that were dropped while they were on their way. */
  readonly #coming = new Map<string, { dropped: boolean }>();

  /** `held`: a copy has come. */
  constructor(
    store: ValueStore,
    programs: Programs,
    fetch: FetchStream,
    held: (name: string, bytes: number) => void,
  ) {
    this.#store = store;
    this.#programs = programs;
    this.#fetch = fetch;
    this.#held = held;
  }

  /** Brings what a task needs. */
  bring(program: string, inputs: readonly InputFacts[]): Provision {
    const leaves: (() => void)[] = [];
    const found: (Claim | Uint8Array)[] = [];
    let model: Uint8Array | undefined = undefined;
    const parts: Promise<void>[] = [];
    const known = this.#programs.get(program);
    if (known !== undefined) model = known;
    else {
      const share = this.#models.join(program, (signal) => this.#bringModel(program, signal));
      leaves.push(share.leave);
      parts.push(share.result.then((bytes) => void (model = bytes)));
    }
    inputs.forEach((input, i) => {
      if (input.inline !== undefined) {
        found[i] = input.inline;
        if (input.sha256 !== undefined) parts.push(expectHash(input, input.inline));
        return;
      }
      const claim = this.#store.claim(input.name);
      if (claim !== undefined) {
        leaves.push(() => claim.release());
        found[i] = claim;
        return;
      }
      const share = this.#bringValue(input);
      leaves.push(share.leave);
      parts.push(
        share.result.then((claim) => {
          found[i] = claim;
        }),
      );
    });
    const ready = Promise.all(parts).then(() => undefined);
    ready.catch(() => undefined);
    return {
      ready,
      get model() {
        return model!;
      },
      inputs: found,
      leave: () => {
        for (const leave of leaves.splice(0)) leave();
      },
    };
  }

  /** A value is dropped that may be on its way here. */
  drop(name: string): void {
    const coming = this.#coming.get(name);
    if (coming !== undefined) coming.dropped = true;
  }

  /** The claim of a value that came lasts as long as somebody shares in it. */
  #bringValue(input: InputFacts): Share<Claim> {
    return this.#values.join(input.name, (signal) => this.#fetchValue(input, signal));
  }

  async #fetchValue({ name, bytes, sha256 }: InputFacts, signal: AbortSignal): Promise<Claim> {
    const room = await this.#store.reserve(name, bytes);
    const coming = { dropped: false };
    this.#coming.set(name, coming);
    try {
      const data = await this.#read(name, bytes, signal);
      if (sha256 !== undefined) await expectHash({ name, sha256 }, data);
      const claim = room.keep(data, sha256);
      if (coming.dropped) this.#store.drop(name);
      else this.#held(name, bytes);
      return claim;
    } catch (error) {
      room.leave();
      throw error;
    } finally {
      this.#coming.delete(name);
    }
  }

  async #read(name: string, bytes: number, signal: AbortSignal): Promise<Uint8Array> {
    try {
      return await readStream(abortable(this.#fetch({ value: name }, bytes), signal), bytes);
    } catch (error) {
      throw new FlockworkError("value_lost", `Value ${name} did not come: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }

  async #bringModel(hash: string, signal: AbortSignal): Promise<Uint8Array> {
    const model = await readAll(abortable(this.#fetch({ program: hash }, MAX_MODEL_BYTES), signal));
    const got = await sha256Hex(model);
    if (got !== hash)
      throw new FlockworkError("wrong_result", `Program ${hash} came as bytes that hash to ${got}.`);
    this.#programs.add(hash, model);
    return model;
  }
}

/** Rejects with `wrong_result` unless these are the bytes that a value must have. */
export async function expectHash(
  { name, sha256 }: { readonly name: string; readonly sha256?: string | undefined },
  bytes: Uint8Array,
): Promise<void> {
  const got = await sha256Hex(bytes);
  if (got !== sha256)
    throw new FlockworkError(
      "wrong_result",
      `Value ${name} has bytes that hash to ${got}, not to ${sha256}: whoever sent it has another result.`,
    );
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function readAll(pieces: AsyncIterable<Uint8Array>): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const piece of pieces) {
    parts.push(piece);
    bytes += piece.length;
  }
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Ends a stream when nobody wants it any more. */
async function* abortable(
  stream: AsyncGenerator<Uint8Array, void>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void> {
  const aborted = new Promise<never>((_resolve, reject) => {
    const abort = () => reject(NOT_WANTED);
    if (signal.aborted) abort();
    else signal.addEventListener("abort", abort, { once: true });
  });
  aborted.catch(() => undefined);
  try {
    for (;;) {
      const next = await Promise.race([stream.next(), aborted]);
      if (next.done) return;
      yield next.value;
    }
  } finally {
    void stream.return();
  }
}

const NOT_WANTED = new FlockworkError("cancelled", "No task needs this any more.");
