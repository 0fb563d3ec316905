// Memory that both ends of an engine process reach: files in memory without a name. A large tensor is written and read in one call
// each way, where a pipe takes hundreds of turns. Where there is no such place, or no room in it, tensors go through the pipe.
import { closeSync, ftruncateSync, openSync, readSync, unlinkSync, writevSync } from "node:fs";
import { align } from "../../wire/frame.js";
import type { FromEngine, ToEngine } from "../dialogue.js";
import type { FromProcess, ToProcess } from "./facts.node.js";

const PLACE = "/dev/shm";
/** Fewer bytes are quicker through the pipe. */
const FEWEST_BYTES = 128 * 1024;
/** A lane that has held more gives its memory back. */
const KEPT_BYTES = 64 * 2 ** 20;
/** Most of one call. */
const READ_BYTES = 2 ** 30;

let made = 0;

/** Opens a lane, to be inherited by the process that is about to start: nobody else can find it, and it goes with its last holder. */
function openLane(): number | undefined {
  const path = `${PLACE}/flockwork-${process.pid}-${Date.now()}-${made++}`;
  try {
    const fd = openSync(path, "wx+", 0o600);
    unlinkSync(path);
    return fd;
  } catch {
    return undefined;
  }
}

/** The lanes of one engine process, as the slot's side keeps them: each run has one until it is answered, where one is free. */
export class Lanes {
  /** To be handed on to the process. */
  readonly fds: readonly number[];
  private readonly free: number[];
  /** Those of the runs that are not answered, in their order. */
  private readonly taken: (number | undefined)[] = [];

  constructor(most: number) {
    this.fds = Array.from({ length: most }, openLane).filter((fd) => fd !== undefined);
    this.free = [...this.fds.keys()];
  }

  /** With its tensors in a lane, where that is better. */
  toSend(message: ToEngine): ToProcess {
    if (message.t !== "run") return message;
    const lane = this.free.pop();
    this.taken.push(lane);
    if (lane === undefined) return message;
    const lengths = intoLane(this.fds[lane]!, message.data);
    return lengths ? { ...message, data: [], lane, lengths } : { ...message, lane };
  }

  /** With its tensors out of the lane. */
  received(message: FromProcess): FromEngine {
    if (message.t === "ready" || message.t === "unfit") return message;
    const lane = this.taken.shift();
    if (lane === undefined) return message;
    this.free.push(lane);
    if (message.t !== "ran" || !message.lengths) return message;
    return { ...message, data: fromLane(this.fds[lane]!, message.lengths) };
  }

  close(): void {
    for (const fd of this.fds) closeSync(fd);
  }
}

/** Their lengths, once they are all in the lane, each at a multiple of 8; undefined where they had better take the pipe. */
export function intoLane(fd: number, tensors: readonly Uint8Array[]): number[] | undefined {
  let bytes = 0;
  for (const { length } of tensors) bytes += length;
  if (bytes < FEWEST_BYTES) return undefined;
  try {
    let at = 0;
    for (const tensor of tensors) {
      for (let done = 0; done < tensor.length;) {
        const written = writevSync(fd, [tensor.subarray(done)], at + done);
        if (written === 0) return undefined;
        done += written;
      }
      at += align(tensor.length);
    }
  } catch {
    // No room there.
    return undefined;
  }
  return tensors.map(({ length }) => length);
}

/** What intoLane() wrote, each in memory that `allocate` gives. Throws a RangeError where it is not there. */
export function fromLane(
  fd: number,
  lengths: readonly number[],
  allocate: (bytes: number) => Uint8Array = (bytes) => new Uint8Array(bytes),
): Uint8Array[] {
  let at = 0;
  const tensors = lengths.map((length) => {
    const tensor = allocate(length);
    for (let done = 0; done < length;) {
      const got = readSync(fd, tensor, done, Math.min(READ_BYTES, length - done), at + done);
      if (got === 0) throw new RangeError(`${length} bytes were said to be in a lane, ${done} are`);
      done += got;
    }
    at += align(length);
    return tensor;
  });
  if (at > KEPT_BYTES) ftruncateSync(fd, 0);
  return tensors;
}

/** Memory that is used again for each run: new memory costs the system five times what a copy into known memory does. */
export class Scratch {
  private memory = new Uint8Array(0);
  private used = 0;

  /** What was taken until now is over. `bytes` will be taken, in pieces. */
  reset(bytes: number): void {
    this.used = 0;
    if (bytes > this.memory.length && bytes <= KEPT_BYTES) this.memory = new Uint8Array(bytes);
  }

  /** At a multiple of 8. */
  readonly take = (bytes: number): Uint8Array => {
    const from = this.used;
    if (from + bytes > this.memory.length) return new Uint8Array(bytes);
    this.used = align(from + bytes);
    return this.memory.subarray(from, from + bytes);
  };
}
