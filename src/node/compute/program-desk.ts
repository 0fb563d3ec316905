// A node's part in graphs: what the hub says of programs and values, and what the node says of them. Runs are for the slots.
import type { EngineFacts, EngineFigures, EngineSlots } from "../../engine/slot.js";
import { FlockworkError } from "../../ids/index.js";
import {
  CHUNK_BYTES,
  onTickEnd,
  packPayloads,
  PAYLOAD_KINDS,
  Serving,
  unpackPayloads,
  type MessageFrom,
  type MessageOf,
  type Served,
  type ServingLink,
  type Transfers,
} from "../../wire/index.js";
import type { ProgramAttempt } from "../attempt.js";
import type { ValueStore } from "../values/value-store.js";
import type { LinkFigures } from "./link-probe.js";
import { Programs } from "./programs.js";
import { Provisions, type InputFacts } from "./provisions.js";
import { runProgram, type Computed, type ProgramTask } from "./program-run.js";

/** Bytes of models that a node keeps. */
const MODEL_BYTES = 256 * 1024 * 1024;
const TENSOR = PAYLOAD_KINDS.indexOf("tensor");

interface DeskLink extends ServingLink {
  send(message: MessageFrom<"node">): boolean;
}

export interface ProgramDeskOptions {
  readonly engine: EngineSlots;
  readonly figures: EngineFigures;
  readonly store: ValueStore;
  readonly link: DeskLink;
  readonly transfers: Transfers;
}

export class ProgramDesk {
  /** What the link can do, as far as that is known. */
  linkFigures: LinkFigures | undefined = undefined;
  readonly #options: ProgramDeskOptions;
  readonly #store: ValueStore;
  readonly #provisions: Provisions;
  readonly #serving: Serving;
  /** What the hub has not been told of the values here: bytes, or -1. */
  #news = new Map<string, number>();

  constructor(options: ProgramDeskOptions) {
    this.#options = options;
    this.#store = options.store;
    this.#provisions = new Provisions(
      options.store,
      new Programs(MODEL_BYTES),
      (of, bytes) => options.transfers.fetch(of, bytes),
      (name, bytes) => this.tell(name, bytes),
    );
    this.#serving = new Serving(options.link, (of) => this.#served(of));
  }

  /** What the engine is, and what it and the link were measured to do. */
  get engine(): { facts: EngineFacts; figures: EngineFigures; link: LinkFigures | undefined } {
    const { engine, figures } = this.#options;
    return { facts: engine.facts, figures, link: this.linkFigures };
  }

  resize(slots: number): void {
    this.#options.engine.resize(slots);
  }

  /** What a hello says of engine and values. */
  hello(): Pick<NonNullable<MessageOf<"hello">["node"]>, "engine" | "values"> {
    const { engine, figures } = this.#options;
    const { facts } = engine;
    const held = [...this.#store.list()];
    const names = new Uint8Array(32 * held.length);
    held.forEach(([name], i) => names.set(digestBytes(name), 32 * i));
    // The list says it all.
    this.#news.clear();
    return {
      engine: { ...facts, dtypes: [...facts.dtypes], ...figures, ...this.linkFigures },
      values: { names, bytes: Float64Array.from(held, ([, bytes]) => bytes) },
    };
  }

  /** The attempts of a `compute`; what they need begins to come. */
  *attemptsOf(message: MessageOf<"compute">): Iterable<ProgramAttempt> {
    const inline = new Map<string, Uint8Array>();
    unpackPayloads(message).forEach(({ bytes }, i) => {
      const name = message.names[i];
      // A copy: the frame that it lies in holds others' bytes too.
      if (name !== undefined) inline.set(name, bytes.slice());
    });
    for (const { task, attempt, program, timeoutMs, inputs, outputs, hashed } of message.list) {
      const facts = inputs.map((input): InputFacts => ({ ...input, inline: inline.get(input.name) }));
      yield this.#attempt(
        { task, attempt, timeoutMs },
        { program, inputs: facts, outputs, hashed: hashed ?? false },
      );
    }
  }

  #attempt(
    placed: { readonly task: number; readonly attempt: number; readonly timeoutMs: number },
    task: ProgramTask,
  ): ProgramAttempt {
    const provision = this.#provisions.bring(task.program, task.inputs);
    return {
      ...placed,
      program: task.program,
      ready: provision.ready,
      run: (started) => runProgram(task, provision, this.#store, this.#options.engine, started),
      leave: () => provision.leave(),
    };
  }

  /** Takes what is about values. False: a grant or a break of a stream that is not served here. */
  receive(message: MessageOf<"fetch" | "grant" | "broken" | "drop">): boolean {
    switch (message.t) {
      case "drop":
        for (const name of message.names) {
          this.#provisions.drop(name);
          this.#store.drop(name);
          this.#news.delete(name);
        }
        return true;
      default:
        return this.#serving.receive(message);
    }
  }

  /** The link is down: whoever fetched will ask again. */
  down(): void {
    this.#serving.down();
  }

  /** The hub hears of a value at the end of the tick; `bytes` -1: it is not here any more. */
  tell(name: string, bytes: number): void {
    if (this.#news.size === 0) onTickEnd(() => this.#tellNow());
    this.#news.set(name, bytes);
  }

  async close(): Promise<void> {
    this.#serving.down();
    await this.#options.engine.close();
    await this.#store.close();
  }

  #tellNow(): void {
    if (this.#news.size === 0) return;
    const news = this.#news;
    this.#news = new Map();
    // Where the link is down, the next hello says it.
    this.#options.link.send({ t: "holds", names: [...news.keys()], bytes: Float64Array.from(news.values()) });
  }

  #served(of: MessageOf<"fetch">["of"]): Served {
    if (!("value" in of)) throw new FlockworkError("bad_message", "A node is asked for values only.");
    const claim = this.#store.claim(of.value);
    if (claim === undefined)
      throw new FlockworkError("value_lost", `This node does not have value ${of.value}.`);
    return {
      source: { again: (offset) => this.#store.read(claim, offset, CHUNK_BYTES) },
      over: () => claim.release(),
    };
  }
}

/** The answer that says what a program made. */
export function computedMessage(
  { task, attempt }: { readonly task: number; readonly attempt: number },
  { ms, outputs }: Computed,
): MessageOf<"computed"> {
  const small = outputs.flatMap((output, i) => (output.small === undefined ? [] : [i]));
  return {
    t: "computed",
    task,
    attempt,
    ms,
    bytes: Float64Array.from(outputs, ({ bytes }) => bytes),
    ...(outputs.every(({ sha256 }) => sha256 !== undefined) && {
      sha256: outputs.map(({ sha256 }) => sha256!),
    }),
    small,
    ...packPayloads(small.map((i) => ({ kind: TENSOR, bytes: outputs[i]!.small! }))),
  };
}

function digestBytes(name: string): Uint8Array {
  return Uint8Array.from({ length: 32 }, (_, i) => Number.parseInt(name.slice(2 * i, 2 * i + 2), 16));
}
