// The engine's end of its pipe: frames read and written with calls that block, since an engine does one thing at a time. Half the way of the event loop's.
import { readSync, writevSync } from "node:fs";
import { PREFIX_BYTES } from "./frames.node.js";

const BUFFER_BYTES = 256 * 1024;
/** Most of one call. */
const READ_BYTES = 2 ** 30;

export class BlockingPipe {
  private readonly buffer = new Uint8Array(BUFFER_BYTES);
  private start = 0;
  private end = 0;

  constructor(private readonly fd: number) {}

  /** The next frame, or undefined where the other side is gone. Small ones lie in a buffer that the next call uses again. */
  read(): Uint8Array | undefined {
    if (!this.fill(PREFIX_BYTES)) return undefined;
    const length = new DataView(this.buffer.buffer, this.start).getUint32(0, true);
    this.start += PREFIX_BYTES;
    if (length <= BUFFER_BYTES) {
      if (!this.fill(length)) return undefined;
      this.start += length;
      return this.buffer.subarray(this.start - length, this.start);
    }
    const frame = new Uint8Array(length);
    const here = this.buffer.subarray(this.start, this.end);
    frame.set(here);
    this.start = this.end = 0;
    for (let at = here.length; at < length;) {
      const got = readSync(this.fd, frame, at, Math.min(READ_BYTES, length - at), null);
      if (got === 0) return undefined;
      at += got;
    }
    return frame;
  }

  /** All of it, one piece after the other. */
  write(pieces: readonly Uint8Array[]): void {
    let left = pieces;
    while (left.length > 0) {
      let written = writevSync(this.fd, left);
      left = left.flatMap((piece) => {
        const gone = Math.min(written, piece.length);
        written -= gone;
        return gone === piece.length ? [] : [piece.subarray(gone)];
      });
    }
  }

  /** Until `bytes` are in the buffer. */
  private fill(bytes: number): boolean {
    if (this.start === this.end) this.start = this.end = 0;
    if (this.start + bytes > BUFFER_BYTES) {
      this.buffer.copyWithin(0, this.start, this.end);
      this.end -= this.start;
      this.start = 0;
    }
    while (this.end - this.start < bytes) {
      const got = readSync(this.fd, this.buffer, this.end, BUFFER_BYTES - this.end, null);
      if (got === 0) return false;
      this.end += got;
    }
    return true;
  }
}
