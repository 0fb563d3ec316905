// Who is to blame where a value is not what it must be: whoever needs it says so, and the hub reads it at each of its holders.
import { createHash } from "node:crypto";
import type { NodeId } from "../../ids/index.js";
import type { HubCore, HubParts } from "../core.js";
import type { Graph, GraphValue } from "./graph.js";
import { misfit } from "./output-type.js";
import type { Sources } from "./sources.js";

/** How long a node that gave a wrong result gets nothing. */
const DISTRUST_MS = 10 * 60_000;
/** A holder that has not sent its value by then has lost it. */
const READ_MS = 60_000;

export class Audit {
  readonly #open = new Map<GraphValue, Promise<boolean>>();

  constructor(
    private readonly core: HubCore,
    private readonly parts: HubParts,
    private readonly sources: Sources,
    /** Somebody is in quarantine: others take its place. */
    private readonly reseat: (graph: Graph) => void,
  ) {}

  /**
   * Whether one of these values is not at a holder as it must be: it is lost there, and whoever gave it gets nothing for a
   * while. What the hub holds itself was looked at when it came.
   */
  async values(values: Iterable<GraphValue>): Promise<boolean> {
    const found = await Promise.all(
      [...new Set(values)]
        .filter(({ data, blob, kind }) => kind === "output" && data === undefined && blob === undefined)
        .map((value) => this.#value(value)),
    );
    return found.includes(true);
  }

  /** Names a node to the log and to the client, and gives it nothing for a while. */
  distrust(node: NodeId, graph: Graph, why: string): void {
    this.parts.log.warn({ node, graph: graph.id, why }, "a node gave a wrong result");
    graph.session.peer?.send({
      t: "notice",
      code: "wrong_result",
      message: `${node} is in quarantine: ${why}.`.slice(0, 4096),
      fatal: false,
    });
    this.core.handle({ type: "NodeDistrusted", node, forMs: DISTRUST_MS, why });
    this.reseat(graph);
  }

  #value(value: GraphValue): Promise<boolean> {
    let audit = this.#open.get(value);
    if (audit === undefined) {
      audit = this.#atAll(value).finally(() => this.#open.delete(value));
      this.#open.set(value, audit);
      // Nobody reads it meanwhile.
      this.sources.hold(value, audit);
    }
    return audit;
  }

  async #atAll(value: GraphValue): Promise<boolean> {
    let found = false;
    for (const place of this.core.scheduler.places(value.ref)) {
      if (place === "hub") continue;
      const fault = await this.#at(value, place);
      if (fault === undefined) continue;
      found = true;
      this.core.nodes.views.get(place)?.peer?.send({ t: "drop", names: [value.nameAt(place)] });
      if (fault.guilty) this.distrust(place, value.graph, fault.why);
      this.core.handle({ type: "ValueLost", value: value.ref, place });
    }
    return found;
  }

  /** What is wrong with a value at a node. Only where it must have certain bytes does whoever passes it on look at them. */
  async #at(value: GraphValue, node: NodeId): Promise<{ why: string; guilty: boolean } | undefined> {
    const { graph, number, sha256 } = value;
    const named = `output ${value.ref.output} of task ${number} of graph ${graph.id}`;
    const maker = graph.tasks.get(number)?.makers.includes(node) === true;
    try {
      const { head, hash } = await inTime(this.#read(value, node, sha256 !== undefined));
      if (sha256 !== undefined && hash !== sha256)
        return { why: `what it holds as ${named} hashes to ${hash}, not to ${sha256}`, guilty: true };
      const fault = misfit(value.type, value.bytes, head);
      return fault === undefined ? undefined : { why: `it gave ${named}, but ${fault}`, guilty: maker };
    } catch (error) {
      return { why: `it does not send ${named}: ${(error as Error).message}`, guilty: false };
    }
  }

  async #read(value: GraphValue, node: NodeId, whole: boolean): Promise<{ head: Uint8Array; hash: string }> {
    const sum = createHash("sha256");
    let head: Uint8Array | undefined = undefined;
    for await (const piece of this.sources.readAt(value, node)) {
      head ??= piece;
      if (!whole) break;
      sum.update(piece);
    }
    return { head: head ?? new Uint8Array(0), hash: sum.digest("hex") };
  }
}

function inTime<T>(work: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`it took longer than ${READ_MS} ms`)), READ_MS);
    work.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
