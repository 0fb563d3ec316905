// One graph of runs with the same options. What begins or ends in one turn travels as one message.
import type { FlockworkError } from "../../ids/index.js";
import type { Tensor } from "../../tensor/index.js";
import { onTickEnd } from "../../wire/index.js";
import type { GraphAnswer, GraphBook } from "./book.js";
import type { GraphMember } from "./host.js";
import type { NewTask, Ref, TaskRecord } from "./record.js";

interface Beginning {
  readonly make: () => NewTask;
  resolve(task: TaskRecord): void;
  reject(error: unknown): void;
}

export class Lane implements GraphMember {
  /** Tensors whose bytes have been counted. */
  readonly counted = new WeakSet<Tensor>();
  tasks = 0;
  bytes = 0;
  /** Runs that have not ended. */
  under = 0;
  #beginning: Beginning[] = [];
  #released: Ref[] = [];
  #asked = false;

  constructor(readonly book: GraphBook) {}

  get id(): string {
    return this.book.id;
  }

  /** Submits a task at the end of this turn; all its outputs are held and wanted. */
  begin(make: () => NewTask): Promise<TaskRecord> {
    return new Promise((resolve, reject) => {
      this.#beginning.push({ make, resolve, reject });
      this.#later();
    });
  }

  release(refs: readonly Ref[]): void {
    this.#released.push(...refs);
    this.#later();
  }

  receive(message: GraphAnswer): void {
    this.book.receive(message);
  }

  resend(same: boolean): void {
    this.book.resend(same);
  }

  given(number: number): Tensor | undefined {
    return this.book.given(number);
  }

  stop(error: FlockworkError): void {
    this.book.close(error);
  }

  #later(): void {
    if (this.#asked) return;
    this.#asked = true;
    onTickEnd(() => {
      this.#asked = false;
      this.book.release(this.#released.splice(0));
      this.#begin(this.#beginning.splice(0));
    });
  }

  #begin(all: readonly Beginning[]): void {
    if (all.length === 0) return;
    try {
      const tasks = this.book.submit(all.map(({ make }) => make));
      const refs = tasks.flatMap((task) =>
        Array.from({ length: task.outputs }, (_, output): Ref => ({ task, output })),
      );
      this.book.hold(refs);
      this.book.want(refs);
      all.forEach(({ resolve }, i) => resolve(tasks[i]!));
    } catch (error) {
      for (const { reject } of all) reject(error);
    }
  }
}
