// The hub's HTTP routes: one row each. Pages and blobs join this table when they come.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import type { HubCore, HubParts } from "./core.js";
import { hubMetrics } from "./metrics.js";
import { SOFTWARE } from "./version.js";

export interface HttpContext {
  readonly core: HubCore;
  readonly parts: HubParts;
  peers(): number;
  closing(): boolean;
  /** The hub ends with something else, such as a main node. */
  readonly passing: boolean;
}

interface Answer {
  readonly status: number;
  readonly type: string;
  readonly body: string;
}

const ROUTES: { readonly [path: string]: (context: HttpContext) => Answer | Promise<Answer> } = {
  "/healthz": ({ closing, parts, passing }) =>
    closing()
      ? json({ status: "stopping", passing }, 503)
      : parts.ledger.stuck
        ? json({ status: "storage_full", passing }, 503)
        : json({ status: "ok", passing, software: SOFTWARE }),
  "/metrics": async (context) => {
    const registry = metricsOf(context);
    return { status: 200, type: registry.contentType, body: await registry.metrics() };
  },
  "/api/nodes": ({ core }) =>
    json(
      [...core.nodes.views.values()].map((view) => ({
        id: view.id,
        kind: view.kind,
        state: view.state,
        domain: view.domain,
        slots: view.slots,
        services: view.services,
        running: core.scheduler.node(view.id)?.running ?? 0,
        solved: view.solved,
        failed: view.failed,
        joinedAt: new Date(view.joinedAt).toISOString(),
        ...(view.quarantinedUntil > Date.now() && {
          quarantinedUntil: new Date(view.quarantinedUntil).toISOString(),
        }),
      })),
    ),
  "/api/jobs": ({ core, parts }) =>
    json({
      ...core.scheduler.counts(),
      ...parts.counters,
      sessions: [...core.clients.sessions.values()].map((session) => ({
        name: session.name,
        domain: session.domain,
        client: session.peer?.hello?.id ?? null,
        unacknowledged: session.jobs.size,
        unclaimedBytes: session.unclaimedBytes,
      })),
    }),
};

const registries = new WeakMap<HubCore, Registry>();

function metricsOf({ core, parts, peers }: HttpContext): Registry {
  let registry = registries.get(core);
  if (registry === undefined) registries.set(core, (registry = hubMetrics(core, parts, peers)));
  return registry;
}

export function handleHttp(request: IncomingMessage, response: ServerResponse, context: HttpContext): void {
  const path = (request.url ?? "/").replace(/[?#].*$/s, "");
  answerTo(request.method, path, context).then(
    ({ status, type, body }) => {
      response.writeHead(status, { "content-type": type, "cache-control": "no-store" }).end(body);
    },
    (error: unknown) => {
      context.parts.log.error({ err: error, path }, "a request met a bug");
      response.writeHead(500).end();
    },
  );
}

async function answerTo(method: string | undefined, path: string, context: HttpContext): Promise<Answer> {
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (route === undefined)
    return json({ error: `Nothing is at ${path}; there are ${Object.keys(ROUTES).join(", ")}.` }, 404);
  if (method !== "GET") return json({ error: `${path} is read with GET.` }, 405);
  return route(context);
}

function json(value: unknown, status = 200): Answer {
  return { status, type: "application/json", body: `${JSON.stringify(value, undefined, 2)}\n` };
}
