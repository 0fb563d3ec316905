// What the desks tell the feed, in as few words as the hot path can spare.
import type { GraphTask } from "../graphs/graph.js";
import { Job } from "../jobs.js";
import { JobSets } from "./job-sets.js";
import { Latencies, SAMPLES } from "./latencies.js";
import { Mishaps, type Mishap } from "./mishaps.js";
import { PROGRAM, serviceName } from "./service-name.js";
import { Numbering } from "./numbering.js";
import { TaskLog } from "./task-log.js";

/** Part of a node that the log of tasks needs. */
export interface LoggedNode {
  readonly number: number;
}

export class Watch {
  /** Times in the feed count from here, milliseconds since 1970. */
  readonly epoch = Date.now();
  readonly services = new Numbering("services");
  readonly sets = new JobSets();
  readonly tasks = new TaskLog(this.epoch);
  readonly latencies = new Latencies();
  readonly mishaps = new Mishaps();

  /** These are in the journal now; all are of one segment. */
  submitted(jobs: readonly Job[]): void {
    const now = Date.now();
    for (const job of jobs) {
      this.sets.of(job, now).submitted++;
      job.source.acceptedAt ||= now;
    }
  }

  /** First answers: job i ran for `ms[index[i]]` milliseconds. */
  solved(
    node: LoggedNode | undefined,
    jobs: readonly Job[],
    ms: ArrayLike<number>,
    index: readonly number[],
  ): void {
    const now = Date.now();
    for (const job of jobs) this.sets.of(job, now).solved++;
    const step = Math.ceil(jobs.length / SAMPLES);
    for (let i = 0; i < jobs.length; i += step) {
      const { acceptedAt } = jobs[i]!.source;
      if (acceptedAt > 0) this.latencies.add(now - acceptedAt, now);
    }
    if (node === undefined || !this.tasks.records(now)) return;
    let service = "";
    let number = 0;
    // Those of one message ran one after the other (or beside each other, in slots): the last of them ended now.
    for (let i = 0; i < jobs.length; i++) {
      const asked = jobs[i]!.options.service;
      if (asked !== service) number = this.services.of((service = asked));
      this.tasks.add(node.number, number, now, ms[index[i]!]!, true);
    }
  }

  /** `tried`: nodes failed at it, which has been told with them. */
  unsolved(job: Job, code: string, message: string, tried: boolean): void {
    const now = Date.now();
    this.sets.of(job, now).unsolved++;
    // What its client took back is no mishap.
    if (code !== "cancelled" && !tried)
      this.mishaps.add({ code, message, client: job.session.client, service: job.options.service }, now);
  }

  /** A node reports that it could not do this. `ms`: how long it tried, where that is known. */
  attemptFailed(
    node: LoggedNode & { readonly id: string },
    { tag, service }: { readonly tag: Job | GraphTask; readonly service: string },
    mishap: Mishap,
    ms: number,
  ): void {
    const now = Date.now();
    const { client } = tag instanceof Job ? tag.session : tag.graph.session;
    this.mishaps.add({ ...mishap, node: node.id, client, service: serviceName(service) }, now);
    if (this.tasks.records(now))
      this.tasks.add(node.number, this.services.of(serviceName(service)), now, ms, false);
  }

  /** A task of a graph was computed. */
  computed(node: LoggedNode, ms: number): void {
    const now = Date.now();
    if (this.tasks.records(now)) this.tasks.add(node.number, this.services.of(PROGRAM), now, ms, true);
  }

  mishap(mishap: Mishap): void {
    this.mishaps.add(mishap, Date.now());
  }
}
