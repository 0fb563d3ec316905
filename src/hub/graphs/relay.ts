// Values on their way from whoever has them to whoever needs them: chunks pass through the hub as they are, and how many may
// be under way is between the two ends. The hub itself may be the one that reads.
import { FlockworkError, randomHex } from "../../ids/index.js";
import { InStream, type MessageOf } from "../../wire/index.js";
import type { Peer } from "../peer.js";

type OfHolder = Extract<MessageOf<"fetch">["of"], { value: string } | { given: number }>;
type StreamMessage = MessageOf<"chunk" | "grant" | "end" | "broken">;

interface Reader {
  take(message: MessageOf<"chunk" | "end" | "broken">): void;
  readonly peer: Peer | undefined;
}

interface Passage {
  readonly id: string;
  readonly holder: Peer;
  readonly reader: Reader;
  /** Told when the holder could not send it. */
  readonly lost: (code: string, message: string) => void;
}

export class Relay {
  readonly #byId = new Map<string, Passage>();
  readonly #byPeer = new Map<Peer, Set<Passage>>();
  /** Bytes that have passed. */
  bytes = 0;

  /** Streams under way from or to a peer. */
  load(peer: Peer): number {
    return this.#byPeer.get(peer)?.size ?? 0;
  }

  /** Sends a peer's fetch on to the holder. */
  pass(
    reader: Peer,
    { id, offset, upTo }: MessageOf<"fetch">,
    holder: Peer,
    of: OfHolder,
    lost: (code: string, message: string) => void,
  ): void {
    if (this.#byId.has(id)) throw new FlockworkError("bad_message", `Stream ${id} is being fetched already.`);
    const take = (message: MessageOf<"chunk" | "end" | "broken">): void => {
      if (message.t === "chunk") reader.sendAlone(message);
      else reader.send(message);
    };
    this.#add({ id, holder, reader: { take, peer: reader }, lost });
    holder.send({ t: "fetch", id, offset, upTo, of });
  }

  /** Reads a value for the hub itself. */
  pull(holder: Peer, of: OfHolder, maxBytes: number): AsyncIterable<Uint8Array> {
    const id = randomHex(16);
    const stream = new InStream({
      maxBytes,
      grant: (have, upTo) => holder.send({ t: "grant", id, have, upTo }),
      left: () => {
        this.#forget(id);
        holder.send({ t: "broken", id, code: "cancelled", message: "The stream is not wanted any more." });
      },
    });
    const take = (message: MessageOf<"chunk" | "end" | "broken">): void => {
      try {
        // Chunks are views of their frame, which is gone after this turn.
        if (message.t === "chunk") stream.chunk(message.offset, new Uint8Array(message.data));
        else if (message.t === "end") stream.end(message.bytes);
        else stream.fail(new FlockworkError(message.code, message.message));
      } catch (error) {
        stream.fail(error);
      }
    };
    this.#add({ id, holder, reader: { take, peer: undefined }, lost: () => undefined });
    holder.send({ t: "fetch", id, offset: 0, upTo: stream.upTo, of });
    return stream;
  }

  /** Takes a message about a stream that passes through here. False when it is none of these. */
  take(peer: Peer, message: StreamMessage): boolean {
    const passage = this.#byId.get(message.id);
    if (passage === undefined) return false;
    const { holder, reader } = passage;
    if (message.t === "grant") {
      if (peer === reader.peer) holder.send(message);
      return true;
    }
    if (message.t === "broken" && peer === reader.peer) {
      this.#forget(message.id);
      holder.send(message);
      return true;
    }
    if (peer !== holder) return true;
    if (message.t === "chunk") this.bytes += message.data.length;
    else this.#forget(message.id);
    reader.take(message);
    if (message.t === "broken") passage.lost(message.code, message.message);
    return true;
  }

  /** A connection is gone: what came from it breaks, what went to it is not wanted. */
  closed(peer: Peer): void {
    for (const { id, holder, reader } of [...(this.#byPeer.get(peer) ?? [])]) {
      this.#forget(id);
      if (peer === holder) reader.take({ t: "broken", id, ...AWAY });
      else holder.send({ t: "broken", id, ...AWAY });
    }
  }

  #add(passage: Passage): void {
    this.#byId.set(passage.id, passage);
    for (const peer of [passage.holder, passage.reader.peer]) {
      if (peer === undefined) continue;
      const set = this.#byPeer.get(peer) ?? new Set();
      this.#byPeer.set(peer, set.add(passage));
    }
  }

  #forget(id: string): void {
    const passage = this.#byId.get(id);
    if (passage === undefined) return;
    this.#byId.delete(id);
    for (const peer of [passage.holder, passage.reader.peer]) {
      if (peer === undefined) continue;
      const set = this.#byPeer.get(peer);
      set?.delete(passage);
      if (set?.size === 0) this.#byPeer.delete(peer);
    }
  }
}

const AWAY = { code: "value_lost", message: "Whoever had this value, or wanted it, has gone." };
