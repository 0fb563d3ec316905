// Frames of the wire one after the other on a pipe: each after its length, at a multiple of 8, so that tensors can be viewed where they lie.
import { encodeFrame, encodeFrameParts } from "../../wire/frame.js";

/** u32 length (little-endian), u32 zero. */
export const PREFIX_BYTES = 8;
/** Messages with less than this are written in one piece; for more, a copy costs more than a call that takes pieces. */
const ONE_PIECE_BYTES = 64 * 1024;

/** One frame of messages with its prefix, in pieces to be written one after the other; `bytes` are the tensors in them, about. */
export function framePieces(messages: readonly unknown[], bytes: number): Uint8Array[] {
  const pieces = bytes < ONE_PIECE_BYTES ? [encodeFrame(messages)] : encodeFrameParts(messages);
  const prefix = new Uint8Array(PREFIX_BYTES);
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0);
  if (length >= 2 ** 32) throw new RangeError(`a frame of ${length} bytes`);
  new DataView(prefix.buffer).setUint32(0, length, true);
  return [prefix, ...pieces];
}

/** Cuts what a pipe brings into frames. Each frame has memory of its own. */
export class FrameReader {
  private readonly prefix = new Uint8Array(PREFIX_BYTES);
  private frame: Uint8Array | undefined;
  private filled = 0;

  /** Takes the next bytes; calls `onFrame` for each frame that is whole. */
  push(bytes: Uint8Array, onFrame: (frame: Uint8Array) => void): void {
    let at = 0;
    while (at < bytes.length) {
      const into = this.frame ?? this.prefix;
      const part = bytes.subarray(at, at + into.length - this.filled);
      into.set(part, this.filled);
      this.filled += part.length;
      at += part.length;
      if (this.filled < into.length) return;
      this.filled = 0;
      if (this.frame) {
        const whole = this.frame;
        this.frame = undefined;
        onFrame(whole);
      } else this.frame = new Uint8Array(new DataView(into.buffer).getUint32(0, true));
    }
  }
}
