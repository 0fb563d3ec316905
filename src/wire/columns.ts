// What the columns of one message must agree on. A column's name means the same in every message, so one rule fits all rows.
import { runsFault } from "./runs.js";
import { payloadsFault, type PayloadColumns } from "./payloads.js";

/** The columns a message may have. */
interface Columns extends Partial<PayloadColumns> {
  readonly tasks?: Float64Array;
  readonly attempts?: Uint16Array;
  readonly seqs?: Float64Array;
  readonly runs?: Float64Array;
  readonly ms?: Float32Array;
  readonly inputs?: Uint16Array | readonly number[];
  readonly clients?: readonly string[];
  readonly from?: Uint16Array | undefined;
  readonly streams?: readonly (readonly [index: number, what: unknown])[] | undefined;
}

/** What is wrong with the columns of a message that has passed its schema; undefined if nothing. */
export function columnsFault(message: Columns): string | undefined {
  const { tasks, attempts, seqs, ms, inputs, clients, from, kinds, lengths, data } = message;
  // Not in `submit`, where `attempts` is an option of the jobs.
  if (tasks && attempts && tasks.length !== attempts.length) return "tasks and attempts differ in length";
  if (tasks && ms && tasks.length !== ms.length) return "tasks and ms differ in length";
  if (tasks && seqs && tasks.length !== seqs.length) return "tasks and seqs differ in length";
  if (tasks && from && tasks.length !== from.length) return "tasks and from differ in length";
  if (clients && from?.some((client) => client >= clients.length))
    return "a task is from a client that is not named";
  for (const numbers of [tasks, seqs])
    if (numbers && !numbers.every(isNumber)) return "a task or sequence number is not a whole number from 0";
  // Here, where it costs the message only: a desk may look at them later, when nobody waits for an error.
  if (message.runs) return runsFault(message.runs);
  if (!kinds || !lengths || !data) return undefined;
  const owners = tasks ?? seqs;
  if (owners) {
    let payloads = owners.length;
    if (inputs instanceof Uint16Array) {
      if (inputs.length !== owners.length) return "tasks and inputs differ in length";
      payloads = inputs.reduce((sum, n) => sum + n, 0);
    }
    if (payloads !== kinds.length) return `${payloads} payloads are named, ${kinds.length} are there`;
  }
  return payloadsFault({ kinds, lengths, data }) ?? streamsFault(lengths, message.streams);
}

function streamsFault(lengths: Uint32Array, streams: Columns["streams"] = []): string | undefined {
  let last = -1;
  for (const [index] of streams) {
    if (index <= last || index >= lengths.length) return `payload ${index} can not be a stream here`;
    if (lengths[index] !== 0)
      return `payload ${index} is a stream and has ${lengths[index]} bytes here as well`;
    last = index;
  }
  return undefined;
}

function isNumber(n: number): boolean {
  return n >= 0 && Number.isSafeInteger(n);
}
