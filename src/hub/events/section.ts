// One part of what the feed tells: all of it to whoever comes, and later what has changed.
export interface Section {
  /** Its field in an update. */
  readonly name: string;
  /** All that is the case. What `changes` says next is said from here on. */
  whole(now: number): unknown;
  /** What has changed since it was last asked; undefined: nothing. */
  changes(now: number): unknown;
}
