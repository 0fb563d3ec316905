// Protobuf's wire format: numbers, lengths and fields as bytes. It knows no messages.

export const VARINT = 0;
export const FIXED64 = 1;
export const DELIMITED = 2;
export const FIXED32 = 5;

const decoder = new TextDecoder("utf-8", { fatal: true });
const encoder = new TextEncoder();

/** Reads between `at` and `end`; throws where bytes run out or mean nothing. */
export class WireReader {
  private readonly view: DataView;

  constructor(
    readonly bytes: Uint8Array,
    public at = 0,
    readonly end = bytes.length,
  ) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** A field's number, and how its value travels. */
  tag(): readonly [number: number, wire: number] {
    const tag = this.uint32();
    const [number, wire] = [tag >>> 3, tag & 7];
    if (number === 0 || wire > 5) throw new RangeError(`illegal tag: field no ${number} wire type ${wire}`);
    return [number, wire];
  }

  uint32(): number {
    return this.varint()[0];
  }

  int32(): number {
    return this.varint()[0] | 0;
  }

  uint64(): bigint {
    const [low, high] = this.varint();
    return (BigInt(high) << 32n) | BigInt(low);
  }

  int64(): bigint {
    return BigInt.asIntN(64, this.uint64());
  }

  float(): number {
    return this.view.getFloat32(this.advance(4), true);
  }

  double(): number {
    return this.view.getFloat64(this.advance(8), true);
  }

  /** What is as long as the number before it says; still these bytes, not a copy. */
  delimited(): Uint8Array {
    const length = this.uint32();
    const start = this.advance(length);
    return this.bytes.subarray(start, start + length);
  }

  /** The same, to be read. */
  inner(): WireReader {
    const length = this.uint32();
    const start = this.advance(length);
    return new WireReader(this.bytes, start, start + length);
  }

  string(): string {
    return decoder.decode(this.delimited());
  }

  skip(wire: number): void {
    if (wire === VARINT) this.varint();
    else if (wire === FIXED64) this.advance(8);
    else if (wire === DELIMITED) this.delimited();
    else if (wire === FIXED32) this.advance(4);
    else throw new RangeError(`wire type ${wire} is of groups, which ONNX has not`);
  }

  /** Its lower and upper 32 bits, unsigned. */
  private varint(): readonly [low: number, high: number] {
    let [low, high] = [0, 0];
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.bytes[this.advance(1)]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) [low, high] = [low | (bits << 28), bits >>> 4];
      else if (shift < 63) high |= bits << (shift - 32);
      else high |= bits << 31;
      if (byte < 0x80) return [low >>> 0, high >>> 0];
    }
    throw new RangeError("a number has more than ten bytes");
  }

  private advance(length: number): number {
    const from = this.at;
    if (length > this.end - from) throw new RangeError("premature EOF");
    this.at = from + length;
    return from;
  }
}

/** Writes from the end to the start, so that the length of what is inside is known when it is needed. */
export class WireWriter {
  private bytes = new Uint8Array(1024);
  private at = this.bytes.length;

  /** How many bytes there are so far. */
  get size(): number {
    return this.bytes.length - this.at;
  }

  tag(number: number, wire: number): void {
    this.varint((number << 3) | wire);
  }

  /** An unsigned number of 32 bits, before what is there. */
  varint(value: number): void {
    let length = 1;
    for (let rest = value >>> 7; rest > 0; rest >>>= 7) length++;
    let at = this.reserve(length);
    for (; value > 0x7f; value >>>= 7) this.bytes[at++] = (value & 0x7f) | 0x80;
    this.bytes[at] = value;
  }

  /** Negative numbers take ten bytes. */
  int64(value: bigint): void {
    if (value >= 0n && value < 0x80000000n) {
      this.varint(Number(value));
      return;
    }
    const out: number[] = [];
    let rest = BigInt.asUintN(64, value);
    for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
    out.push(Number(rest));
    this.raw(out);
  }

  float(value: number): void {
    const at = this.reserve(4);
    new DataView(this.bytes.buffer).setFloat32(at, value, true);
  }

  double(value: number): void {
    const at = this.reserve(8);
    new DataView(this.bytes.buffer).setFloat64(at, value, true);
  }

  raw(value: ArrayLike<number>): void {
    // To reserve may give this.bytes a larger successor.
    const at = this.reserve(value.length);
    this.bytes.set(value, at);
  }

  string(value: string): void {
    this.raw(encoder.encode(value));
  }

  finish(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(this.at);
  }

  private reserve(length: number): number {
    if (length > this.at) {
      const { size } = this;
      const grown = new Uint8Array(Math.max(2 * this.bytes.length, size + length));
      grown.set(this.bytes.subarray(this.at), grown.length - size);
      this.bytes = grown;
      this.at = grown.length - size;
    }
    this.at -= length;
    return this.at;
  }
}
