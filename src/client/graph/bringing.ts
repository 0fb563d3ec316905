// The bytes of an output, from the message that tells of it or by a fetch; asked for again where they got lost on the way.
import { FlockworkError } from "../../ids/index.js";
import { decodeTensor, type Tensor } from "../../tensor/index.js";
import { readStream, sha256Hex } from "../../wire/index.js";
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

/**
 * The tensor of a held output that was wanted. One that is not what its program makes, or not what nodes agreed on, is asked for
 * again, and whoever gave it is named to the hub. Rejects with the error of its task, as it came, and with `wrong_result`.
 */
export async function bring(book: GraphBook, fetch: FetchOutput, ref: Ref): Promise<Tensor> {
  for (let tried = 1; ; tried++)
    try {
      const { bytes, sha256 } = await book.arrival(ref);
      const here = tensorHere(ref);
      if (here !== undefined) return here;
      const data = await readStream(fetch(book.id, [ref.task.number, ref.output], bytes), bytes);
      const fault = await faultOf(ref, data, sha256);
      if (fault === undefined) return decodeTensor(data);
      book.distrust(ref, fault);
      if (tried === TRIES) throw new FlockworkError("wrong_result", `The value is wrong again: ${fault}.`);
    } catch (error) {
      const gone = error instanceof FlockworkError && LOST.has(error.code);
      if (!gone || ref.task.failure !== undefined || tried === TRIES) throw error;
      book.ask(ref);
    }
}

/** Why these bytes are not the value; undefined where they may be. */
async function faultOf(
  { task, output }: Ref,
  data: Uint8Array,
  sha256?: string,
): Promise<string | undefined> {
  if (sha256 !== undefined) {
    const hash = await sha256Hex(data);
    return hash === sha256 ? undefined : `its bytes hash to ${hash}, nodes agreed on ${sha256}`;
  }
  const [dtype, shape] = task.program.outputs[output]!;
  let got;
  try {
    got = decodeTensor(data);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  const fits =
    got.dtype === dtype &&
    got.shape.length === shape.length &&
    shape.every((length, axis) => length === -1 || length === got.shape[axis]);
  return fits
    ? undefined
    : `it is ${got.dtype} [${got.shape.join(",")}], its program makes ${dtype} [${shape.join(",")}]`;
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
