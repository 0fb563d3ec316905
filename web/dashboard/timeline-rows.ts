// How high the rows of a timeline are and where they lie: a row with more lanes is higher, where there are not too many of them.
import type { TimelineRow, TimelineSource } from "./timeline-source.js";

/** Above and below what is in a row. */
const MARGIN = 6;
/** A lane is so high at least, where no more than so many rows are shown. */
const LEAST_LANE = 7;
const MOST_TALL = 40;

export class TimelineRows {
  rows: readonly TimelineRow[] = [];
  /** Of each row by its number. */
  readonly places = new Map<number, number>();
  #tops: number[] = [0];
  #lanes: number[] = [];
  #version = -1;

  /** Whether there is anything new. */
  fresh(source: TimelineSource): boolean {
    return source.version !== this.#version;
  }

  take(source: TimelineSource): void {
    if (!this.fresh(source)) return;
    this.#version = source.version;
    this.rows = source.rows();
    this.places.clear();
    this.#tops = [0];
    this.#lanes = [];
    const n = this.rows.length;
    const least = n <= 12 ? 26 : n <= MOST_TALL ? 16 : 10;
    for (const [place, { number }] of this.rows.entries()) {
      const lanes = source.tasks.lanes.of(number);
      const height = lanes > 1 && n <= MOST_TALL ? Math.max(least, MARGIN + lanes * LEAST_LANE) : least;
      this.places.set(number, place);
      this.#lanes.push(lanes);
      this.#tops.push(this.#tops[place]! + height);
    }
  }

  get height(): number {
    return this.#tops.at(-1)!;
  }

  /** Whether there is room for words of the usual size. */
  get roomy(): boolean {
    return this.rows.length <= MOST_TALL;
  }

  /** The row that lies at a height; the last where that is below all, -1 where there is none. */
  at(y: number): number {
    let [low, high] = [0, this.rows.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#tops[middle + 1]! <= y) low = middle + 1;
      else high = middle;
    }
    return Math.min(low, this.rows.length - 1);
  }

  middle(place: number): number {
    return (this.#tops[place]! + this.#tops[place + 1]!) / 2;
  }

  /** Where a lane of a row lies: its top, and how high it is. */
  lane(place: number, lane: number): [top: number, height: number] {
    const top = this.#tops[place]!;
    const margin = this.roomy ? MARGIN : 2;
    // One may have come since the rows were looked at.
    const lanes = Math.max(this.#lanes[place]!, lane + 1);
    const each = (this.#tops[place + 1]! - top - margin) / lanes;
    return [top + margin / 2 + lane * each, Math.max(1, each - (lanes > 1 && each > 4 ? 1 : 0))];
  }
}
