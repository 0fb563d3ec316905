// The feed behind /api/events: a snapshot for whoever comes, then what has changed, at most four times a second.
// docs/events.md describes what it says.
import type { HubCore, HubParts } from "../core.js";
import { GraphRows } from "../graphs/graph-view.js";
import { Counts, type Traffic } from "./counts.js";
import { History } from "./history.js";
import { NodeRows, runningJobs } from "./node-rows.js";
import type { Section } from "./section.js";

export interface Watcher {
  /** One encoded event. */
  send(text: string): void;
  /** Whether it can not keep up: it gets a snapshot again when it can. */
  readonly behind: boolean;
  /** Whether it may still watch; its token may have been revoked. */
  allowed(): boolean;
  end(): void;
}

export interface FeedOptions {
  readonly core: HubCore;
  readonly parts: HubParts;
  /** What names the hub. */
  readonly hub: { readonly id: string; readonly software: string };
  readonly traffic: () => Traffic;
  /** Further parts of an update. */
  readonly sections?: readonly Section[];
}

/** Most that watch at the same time. */
export const MOST_WATCHERS = 64;

export class EventFeed {
  readonly counts: Counts;
  readonly #options: FeedOptions;
  readonly #history: History;
  readonly #sections: readonly Section[];
  readonly #watchers = new Map<Watcher, { stale: boolean }>();
  #event = 0;

  constructor(options: FeedOptions) {
    this.#options = options;
    const { core, parts, sections = [] } = options;
    const { watch } = parts;
    this.counts = new Counts(core, parts, options.traffic);
    this.#history = new History(this.counts, watch.latencies, watch.epoch);
    this.#sections = [
      this.counts,
      new NodeRows(core, watch.services, watch.epoch),
      watch.sets,
      watch.mishaps,
      watch.tasks,
      new GraphRows(core),
      this.#history,
      ...sections,
      // The last: the others may have named services.
      watch.services,
    ];
  }

  get watchers(): number {
    return this.#watchers.size;
  }

  add(watcher: Watcher, now: number): void {
    // Those who are there already hear what has changed, so that what comes next is the same for all.
    this.#tell(now);
    this.#options.parts.watch.tasks.watched(now);
    this.#watchers.set(watcher, { stale: false });
    watcher.send(this.#whole(now));
  }

  remove(watcher: Watcher): void {
    this.#watchers.delete(watcher);
  }

  /** About four times a second. */
  tick(now: number): void {
    this.#history.tick(now);
    if (this.#watchers.size > 0) this.#tell(now);
  }

  close(): void {
    for (const watcher of this.#watchers.keys()) watcher.end();
    this.#watchers.clear();
  }

  #tell(now: number): void {
    if (this.#watchers.size === 0) return;
    this.look(now);
    this.#options.parts.watch.tasks.watched(now);
    const changes = this.#encode(now, false);
    let whole: string | undefined;
    for (const [watcher, state] of this.#watchers) {
      if (!watcher.allowed()) {
        this.#watchers.delete(watcher);
        watcher.end();
      } else if (watcher.behind) state.stale = true;
      else if (state.stale) {
        state.stale = false;
        watcher.send((whole ??= this.#whole(now)));
      } else watcher.send(changes);
    }
  }

  /** Counts anew what runs of each set of jobs. */
  look(now: number): void {
    const { core, parts } = this.#options;
    parts.watch.sets.look(
      runningJobs(core),
      (session) => core.clients.sessions.get(session.id) === session,
      now,
    );
  }

  #whole(now: number): string {
    this.look(now);
    return this.#encode(now, true);
  }

  #encode(now: number, whole: boolean): string {
    const { watch } = this.#options.parts;
    const update: Record<string, unknown> = { at: Math.round(now - watch.epoch) };
    if (whole) {
      update["whole"] = true;
      update["hub"] = { ...this.#options.hub, epoch: watch.epoch };
    }
    for (const section of this.#sections) {
      const said = whole ? section.whole(now) : section.changes(now);
      if (said !== undefined) update[section.name] = said;
    }
    return `event: update\nid: ${++this.#event}\ndata: ${JSON.stringify(update)}\n\n`;
  }
}
