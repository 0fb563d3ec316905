// Where a value comes from when somebody needs it: its holder's connection, the hub's own memory, or a blob.
import { FlockworkError, type NodeId } from "../../ids/index.js";
import { CHUNK_BYTES, type MessageOf } from "../../wire/index.js";
import type { HubCore, HubParts } from "../core.js";
import type { Peer } from "../peer.js";
import type { GraphValue } from "./graph.js";
import { Relay } from "./relay.js";

interface Holder {
  readonly peer: Peer;
  /** Undefined: the value's own client. */
  readonly node: NodeId | undefined;
}

interface Waiter {
  resolve(): void;
  reject(error: FlockworkError): void;
}

export class Sources {
  readonly relay = new Relay();
  /** Who waits for a value that is not there (again) yet. */
  readonly #waiting = new Map<GraphValue, Waiter[]>();
  readonly #held = new Map<GraphValue, Promise<void>>();

  constructor(
    private readonly core: HubCore,
    private readonly parts: HubParts,
  ) {}

  /** Sends a value to a peer that may have it. */
  send(reader: Peer, message: MessageOf<"fetch">, value: GraphValue): void {
    if (value.blob !== undefined) this.parts.transfers.fetch(reader, message, value.blob);
    else if (value.data !== undefined) {
      const { data } = value;
      this.parts.transfers.serve(reader, message, {
        bytes: data.length,
        open: (from) => chunksOf(data, from),
        done: () => undefined,
      });
    } else {
      const holder = this.#holder(value, reader);
      if (holder === undefined) reader.send({ t: "broken", id: message.id, ...NOWHERE });
      else
        this.relay.pass(reader, message, holder.peer, ofHolder(value, holder), (code) =>
          this.#lost(value, holder, code),
        );
    }
  }

  /** Reads a value here. */
  async *read(value: GraphValue): AsyncGenerator<Uint8Array, void> {
    if (value.data !== undefined) yield value.data;
    else if (value.blob !== undefined) yield* this.parts.blobs.open(value.blob.hash, 0);
    else {
      const holder = this.#holder(value);
      if (holder === undefined) throw new FlockworkError(NOWHERE.code, NOWHERE.message);
      yield* this.relay.pull(holder.peer, ofHolder(value, holder), value.bytes);
    }
  }

  /** Reads a value at one node. */
  readAt(value: GraphValue, node: NodeId): AsyncIterable<Uint8Array> {
    const peer = this.core.nodes.views.get(node)?.peer;
    if (peer === undefined) throw new FlockworkError(NOWHERE.code, NOWHERE.message);
    return this.relay.pull(peer, { value: value.nameAt(node) }, value.bytes);
  }

  /** The value is not ready before this has settled. */
  hold(value: GraphValue, until: Promise<unknown>): void {
    const held = until.then(
      () => undefined,
      () => undefined,
    );
    this.#held.set(value, held);
    void held.then(() => this.#held.delete(value));
  }

  /** Resolves when the value can be had; rejects when it never will. */
  ready(value: GraphValue): Promise<void> {
    const held = this.#held.get(value);
    if (held !== undefined) return held.then(() => this.ready(value));
    if (value.data !== undefined || value.blob !== undefined || this.#holder(value) !== undefined)
      return Promise.resolve();
    const task = value.graph.tasks.get(value.number);
    if (task?.state === "failed") return Promise.reject(NEVER);
    return new Promise((resolve, reject) => {
      const waiters = this.#waiting.get(value) ?? [];
      this.#waiting.set(value, waiters);
      waiters.push({ resolve, reject });
      this.core.handle({ type: "ValuesWanted", values: [value.ref] });
    });
  }

  /** The value can be had. */
  returned(value: GraphValue): void {
    this.#settle(value, ({ resolve }) => resolve());
  }

  /** It never will. */
  failed(value: GraphValue): void {
    this.#settle(value, ({ reject }) => reject(NEVER));
  }

  #settle(value: GraphValue, settle: (waiter: Waiter) => void): void {
    const waiters = this.#waiting.get(value);
    if (waiters === undefined) return;
    this.#waiting.delete(value);
    for (const waiter of waiters) settle(waiter);
  }

  /** The least busy of those who have it: a node rather than the client, whose link is often the slower one. */
  #holder(value: GraphValue, not?: Peer): Holder | undefined {
    let best: Holder | undefined;
    for (const place of this.core.scheduler.places(value.ref)) {
      if (place === "hub") continue;
      const peer = this.core.nodes.views.get(place)?.peer;
      if (peer === undefined || peer === not) continue;
      if (best === undefined || this.relay.load(peer) < this.relay.load(best.peer))
        best = { peer, node: place };
    }
    const client = value.graph.session.peer;
    if (best === undefined && value.kind === "given" && client !== undefined)
      return { peer: client, node: undefined };
    return best;
  }

  /** The holder says that it has not got it. */
  #lost(value: GraphValue, { node }: Holder, code: string): void {
    if (node === undefined || code !== "value_lost") return;
    this.core.handle({ type: "ValueLost", value: value.ref, place: node });
  }
}

function ofHolder(value: GraphValue, { node }: Holder) {
  return node === undefined ? { graph: value.graph.id, given: value.number } : { value: value.nameAt(node) };
}

/** Bytes in memory, as a stream sends them. */
export async function* chunksOf(bytes: Uint8Array, from: number): AsyncGenerator<Uint8Array, void> {
  for (let at = from; at < bytes.length; at += CHUNK_BYTES)
    yield await Promise.resolve(bytes.subarray(at, at + CHUNK_BYTES));
}

const NOWHERE = { code: "value_lost", message: "Nobody who can be reached has this value." };
const NEVER = new FlockworkError("value_lost", "The value's task failed, or what it was made from is gone.");
