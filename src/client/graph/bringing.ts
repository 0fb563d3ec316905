// The bytes of an output, from the message that tells of it or by a fetch; asked for again where they got lost on the way.
import { FlockworkError } from "../../ids/index.js";
import { decodeTensor, type Tensor } from "../../tensor/index.js";
import { readStream } from "../../wire/index.js";
import { tensorHere, type GraphBook } from "./book.js";
import { failuresOf, GraphFailure } from "./failure.js";
import { isRef, type Ref, type TaskRecord } from "./record.js";

/** The bytes of an output, as they come. */
export type FetchOutput = (
  graph: string,
  output: readonly [number, number],
  bytes: number,
) => AsyncIterable<Uint8Array>;

/** How often a value is asked for again when its bytes do not come. */
const TRIES = 5;
/** What a fetch ends with where the value can be had again. */
const LOST = new Set(["value_lost", "hub_lost", "node_lost", "stream_lost"]);

/** The tensor of a held output that was wanted. Rejects with the error of its task, as it came. */
export async function bring(book: GraphBook, fetch: FetchOutput, ref: Ref): Promise<Tensor> {
  for (let tried = 1; ; tried++)
    try {
      const { bytes } = await book.arrival(ref);
      const here = tensorHere(ref);
      if (here !== undefined) return here;
      return decodeTensor(await readStream(fetch(book.id, [ref.task.number, ref.output], bytes), bytes));
    } catch (error) {
      const gone = error instanceof FlockworkError && LOST.has(error.code);
      if (!gone || ref.task.failure !== undefined || tried === TRIES) throw error;
      book.ask(ref);
    }
}

/** An error of a task, with the operations that are to blame; any other error as it is. */
export function explained(graph: string, { task }: Ref, error: unknown): unknown {
  if (task.failure === undefined) return error;
  const roots = new Set<TaskRecord>();
  const seen = new Set<TaskRecord>();
  const stack = [task];
  for (let one = stack.pop(); one !== undefined; one = stack.pop()) {
    if (seen.has(one)) continue;
    seen.add(one);
    if (one.failure?.code === "input_failed")
      stack.push(...one.inputs.filter(isRef).map((input) => input.task));
    else if (one.failure !== undefined) roots.add(one);
  }
  if (roots.size === 0) roots.add(task);
  return new GraphFailure(
    graph,
    [...roots].flatMap(({ operations, failure }) => failuresOf(operations, failure!)),
  );
}
