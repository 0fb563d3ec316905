// How far a graph has come, and what its operators took. Counts operations as plans run them: equal ones are one, and an
// operation in pieces is several.
import type { Operation } from "./operation.js";

export interface Progress {
  readonly done: number;
  /** Asked for, and neither done nor failed. */
  readonly running: number;
  readonly total: number;
  readonly failed: number;
}

export interface OperatorFigures {
  readonly count: number;
  /** Milliseconds: each task's, shared evenly among its operations. */
  readonly ms: number;
}

export class Statistics {
  readonly #operators = new Map<string, { count: number; ms: number }>();
  #total = 0;
  #done = 0;
  #failed = 0;

  get progress(): Progress {
    return {
      done: this.#done,
      running: this.#total - this.#done - this.#failed,
      total: this.#total,
      failed: this.#failed,
    };
  }

  get operators(): Readonly<Record<string, OperatorFigures>> {
    return Object.fromEntries([...this.#operators].map(([name, figures]) => [name, { ...figures }]));
  }

  asked(operations: number): void {
    this.#total += operations;
  }

  failed(operations: number): void {
    this.#failed += operations;
  }

  done(operations: readonly Operation[], ms: number): void {
    this.#done += operations.length;
    for (const { name } of operations) {
      const own = this.#operators.get(name) ?? { count: 0, ms: 0 };
      own.count++;
      own.ms += ms / operations.length;
      this.#operators.set(name, own);
    }
  }
}
