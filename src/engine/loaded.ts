// Which programs an engine has loaded, as its slot keeps the books: the least recently used go when their bytes are too many.

/** What a session takes beside its model, about: a runtime's own objects for a small graph. */
const SESSION_BYTES = 256 * 1024;
/** The model, its weights unpacked, and room for plans. */
const MODEL_FACTOR = 2;

export class LoadedPrograms {
  private next = 0;
  private bytes = 0;
  /** By hash, the least recently used first. */
  private readonly programs = new Map<string, { readonly number: number; readonly bytes: number }>();

  constructor(private readonly limit: number) {}

  /** The number of a program that is loaded, which is thereby used. */
  use(hash: string): number | undefined {
    const known = this.programs.get(hash);
    if (!known) return undefined;
    this.programs.delete(hash);
    this.programs.set(hash, known);
    return known.number;
  }

  /** A new program's number, and those that must go for it. The new one stays, however large it is. */
  add(hash: string, modelBytes: number): { readonly number: number; readonly evicted: readonly number[] } {
    const evicted: number[] = [];
    const bytes = SESSION_BYTES + MODEL_FACTOR * modelBytes;
    for (const [old, known] of this.programs) {
      if (this.bytes + bytes <= this.limit) break;
      this.programs.delete(old);
      this.bytes -= known.bytes;
      evicted.push(known.number);
    }
    const number = this.next++;
    this.programs.set(hash, { number, bytes });
    this.bytes += bytes;
    return { number, evicted };
  }

  /** All but one: their numbers. */
  keepOnly(hash: string): number[] {
    const kept = this.programs.get(hash);
    const others = [...this.programs.values()].filter((known) => known !== kept);
    this.clear();
    if (kept) {
      this.programs.set(hash, kept);
      this.bytes = kept.bytes;
    }
    return others.map(({ number }) => number);
  }

  /** The engine is a new one. */
  clear(): void {
    this.programs.clear();
    this.bytes = 0;
  }
}
