// The hub's HTTP routes that answer with text: one row each.
import type { IncomingMessage } from "node:http";
import type { Registry } from "prom-client";
import * as v from "valibot";
import { FlockworkError } from "../ids/index.js";
import type { HubCore, HubParts } from "./core.js";
import { jobSetRow, nodeRow, type EventFeed } from "./events/index.js";
import { graphPicture, graphRow } from "./graphs/graph-view.js";
import type { Gate } from "./gate.js";
import { hubMetrics } from "./metrics.js";
import { sees } from "./sight.js";
import type { Observer } from "./tickets.js";
import { SOFTWARE } from "./version.js";

export interface HttpContext {
  readonly core: HubCore;
  readonly parts: HubParts;
  readonly gate: Gate;
  readonly feed: EventFeed;
  closing(): boolean;
  /** The hub ends with something else, such as a main node. */
  readonly passing: boolean;
}

export interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

interface Route {
  /** Default GET. */
  readonly method?: "POST";
  /** Whether anybody may read it; otherwise whoever may observe. */
  readonly open?: boolean;
  /** It tells of the whole hub: not for a token of one domain. */
  readonly whole?: boolean;
  /** It names the sessions of every owner. */
  readonly everybody?: boolean;
  answer(context: HttpContext, observer: Observer, request: IncomingMessage): Answer | Promise<Answer>;
}

export const ROUTES: { readonly [path: string]: Route } = {
  "/healthz": {
    open: true,
    answer: ({ closing, parts, passing }) =>
      closing()
        ? json({ status: "stopping", passing }, 503)
        : parts.ledger.stuck
          ? json({ status: "storage_full", passing }, 503)
          : json({ status: "ok", passing, software: SOFTWARE }),
  },
  "/metrics": {
    whole: true,
    answer: async (context) => {
      const registry = metricsOf(context);
      return { status: 200, type: registry.contentType, body: await registry.metrics() };
    },
  },
  "/api/nodes": {
    answer: ({ core }, observer) =>
      json(
        [...core.nodes.views.values()]
          .filter(({ domain }) => sees(observer, { domain }))
          .map((view) => {
            const seen = core.scheduler.node(view.id);
            return {
              ...nodeRow(view),
              state: view.state,
              running: seen?.running ?? 0,
              held: seen?.held ?? 0,
              speed: seen?.speed ?? 0,
              solved: view.solved,
              failed: view.failed,
              bytesIn: view.peer?.bytesIn ?? 0,
              bytesOut: view.peer?.bytesOut ?? 0,
              ...(view.quarantinedUntil > Date.now() && {
                quarantinedUntil: new Date(view.quarantinedUntil).toISOString(),
              }),
            };
          }),
      ),
  },
  "/api/jobs": {
    answer: ({ core, parts, feed }, observer) => {
      feed.look(Date.now());
      const whole = observer.domain === undefined;
      return json({
        // Counts are of all domains together.
        ...(whole && { ...core.scheduler.counts(), ...parts.counters }),
        sessions: [...core.clients.sessions.values()]
          .filter((session) => sees(observer, session))
          .map((session) => ({
            name: session.name,
            domain: session.domain,
            client: session.peer?.hello?.id ?? null,
            unacknowledged: session.jobs.size,
            unclaimedBytes: session.unclaimedBytes,
          })),
        sets: [...parts.watch.sets.all()]
          .filter(({ session }) => sees(observer, session))
          .map((set) => ({
            ...jobSetRow(set),
            submitted: set.submitted,
            running: set.running,
            solved: set.solved,
            unsolved: set.unsolved,
          })),
      });
    },
  },
  "/api/graphs": {
    answer: ({ core }, observer) =>
      json(
        [...core.graphs.graphs()]
          .filter(({ session }) => sees(observer, session))
          .map((graph) => graphRow(core, graph)),
      ),
  },
  "/api/errors": { whole: true, everybody: true, answer: ({ parts }) => json(parts.watch.mishaps.all()) },
  "/api/nonce": {
    open: true,
    answer: ({ gate }) => json({ nonce: gate.tickets.nonce(Date.now()), asksToken: gate.asksToken }),
  },
  "/api/ticket": { method: "POST", open: true, answer: redeem },
};

/** Routes whose last part names one of many. */
export const ONE_OF: {
  readonly [path: string]: (context: HttpContext, name: string, observer: Observer) => Answer;
} = {
  "/api/graphs/": ({ core, parts }, id, observer) => {
    const graph = [...core.graphs.graphs()].find((one) => one.id === id && sees(observer, one.session));
    return graph === undefined
      ? json({ error: `There is no graph ${id} here (any more).` }, 404)
      : json(graphPicture(core, graph, parts.watch.epoch));
  },
};

const hex = (digits: number) => v.pipe(v.string(), v.hexadecimal(), v.length(digits));
const proofGiven = v.object({ token: v.string(), hubNonce: hex(32), nonce: hex(32), proof: hex(64) });

async function redeem({ gate }: HttpContext, _: Observer, request: IncomingMessage): Promise<Answer> {
  const given = v.safeParse(proofGiven, await bodyOf(request));
  if (!given.success)
    return json(
      { error: "A ticket is given for { token, hubNonce, nonce, proof } as JSON (docs/events.md)." },
      400,
    );
  try {
    return json(gate.tickets.redeem(given.output, request.socket.remoteAddress ?? "", Date.now()));
  } catch (error) {
    if (!(error instanceof FlockworkError)) throw error;
    return json({ error: error.message }, 401);
  }
}

const MOST_BODY = 4096;

/** A small JSON body; undefined when it is none. */
async function bodyOf(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MOST_BODY) return undefined;
    parts.push(part);
  }
  try {
    return JSON.parse(Buffer.concat(parts).toString("utf8"));
  } catch {
    return undefined; // said to whoever sent it
  }
}

const registries = new WeakMap<HubCore, Registry>();

function metricsOf({ core, parts, feed }: HttpContext): Registry {
  let registry = registries.get(core);
  if (registry === undefined) registries.set(core, (registry = hubMetrics(core, parts, feed.counts)));
  return registry;
}

export function json(value: unknown, status = 200): Answer {
  return { status, type: "application/json", body: `${JSON.stringify(value, undefined, 2)}\n` };
}
