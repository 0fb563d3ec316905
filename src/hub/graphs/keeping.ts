// Clients' wishes about values that are to outlast their graph: keep this one, delete that one, which are there.
import { FlockworkError } from "../../ids/index.js";
import type { MessageOf } from "../../wire/index.js";
import type { HubCore, HubParts } from "../core.js";
import type { ClientSession } from "../sessions.js";
import type { Graph } from "./graph.js";
import type { KeptValues } from "./kept-values.js";
import type { Sources } from "./sources.js";

export class Keeping {
  constructor(
    private readonly core: HubCore,
    private readonly parts: HubParts,
    private readonly kept: KeptValues,
    private readonly sources: Sources,
  ) {}

  async persist(graph: Graph, { output, name }: MessageOf<"persist">): Promise<void> {
    const { id, session } = graph;
    try {
      const value = graph.value(output as [number, number]);
      // Sent again over another connection, since the first broke before its answer: the same wish.
      const asked = graph.kept.get(name);
      if (asked !== undefined && asked.value === value && asked.peer !== session.peer) {
        asked.peer = session.peer;
        if (value.blob !== undefined)
          session.peer?.send({ t: "persisted", graph: id, name, bytes: value.blob.bytes });
        return;
      }
      if (value === undefined)
        throw new FlockworkError(
          "bad_argument",
          `Graph ${id} has no output ${output[1]} of task ${output[0]}.`,
        );
      const place = this.kept.reserve(session, name);
      graph.kept.set(name, { value, peer: session.peer });
      try {
        await this.sources.ready(value);
        value.blob = await place.store(this.sources.read(value));
      } catch (error) {
        graph.kept.delete(name);
        throw error;
      } finally {
        place.giveUp();
      }
      session.peer?.send({ t: "persisted", graph: id, name, bytes: value.blob.bytes });
      // What is kept need not be computed again: its lineage ends here.
      if (!value.released)
        this.core.handle({ type: "ValueCopied", value: value.ref, bytes: value.blob.bytes, place: "hub" });
    } catch (error) {
      session.peer?.send({ t: "persisted", graph: id, name, bytes: 0, ...this.#known(error) });
    }
  }

  /** Deletes a name where the message says one; answers with those that are left. */
  async names(session: ClientSession, message: MessageOf<"kept_names">): Promise<void> {
    const { request } = message;
    try {
      if (message.delete !== undefined) await this.kept.delete(session, message.delete);
      session.peer?.send({ t: "names", request, names: this.kept.names(session) });
    } catch (error) {
      session.peer?.send({ t: "names", request, names: [], ...this.#known(error) });
    }
  }

  #known(error: unknown): { code: string; message: string } {
    if (error instanceof FlockworkError) return { code: error.code, message: error.message };
    this.parts.log.error({ err: error }, "a value met a bug");
    return { code: "internal", message: "The hub met a bug of its own; its log has the details." };
  }
}
