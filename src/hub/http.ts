// The hub's HTTP routes: one row each, and the blobs. Pages join this table when they come.
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Registry } from "prom-client";
import { answerBlob, blobOfPath } from "./blob-route.js";
import type { HubCore, HubParts } from "./core.js";
import type { Gate, Observer } from "./gate.js";
import { mayRead, sees } from "./sight.js";
import { hubMetrics } from "./metrics.js";
import { SOFTWARE } from "./version.js";

export interface HttpContext {
  readonly core: HubCore;
  readonly parts: HubParts;
  readonly gate: Gate;
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

interface Route {
  /** Whether anybody may read it; otherwise whoever may observe. */
  readonly open?: boolean;
  /** It tells of the whole hub: not for a token of one domain. */
  readonly whole?: boolean;
  answer(context: HttpContext, observer: Observer): Answer | Promise<Answer>;
}

const ROUTES: { readonly [path: string]: Route } = {
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
          .map((view) => ({
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
  },
  "/api/graphs": {
    answer: ({ core }, observer) =>
      json(
        [...core.graphs.graphs()]
          .filter(({ session }) => sees(observer, session))
          .map(({ id, session, tasks, total, done, failed, startedAt }) => {
            const list = [...tasks.values()];
            const running = list.filter(
              ({ state, task }) => state === "open" && core.scheduler.task(task)?.state === "running",
            );
            const bytes = list
              .flatMap(({ values }) => values)
              .reduce((sum, { bytes }) => sum + Math.max(0, bytes), 0);
            return {
              id,
              name: session.name,
              client: session.peer?.hello?.id ?? null,
              domain: session.domain,
              startedAt: new Date(startedAt).toISOString(),
              tasks: { total, done, running: running.length, failed },
              bytes,
            };
          }),
      ),
  },
  "/api/jobs": {
    answer: ({ core, parts }, observer) =>
      json({
        // Counts are of all domains together.
        ...(observer.domain === undefined && { ...core.scheduler.counts(), ...parts.counters }),
        sessions: [...core.clients.sessions.values()]
          .filter((session) => sees(observer, session))
          .map((session) => ({
            name: session.name,
            domain: session.domain,
            client: session.peer?.hello?.id ?? null,
            unacknowledged: session.jobs.size,
            unclaimedBytes: session.unclaimedBytes,
          })),
      }),
  },
};

/** Nothing here is a page: no script, no frame, no guessing of types, no copies in caches. */
const SAFE_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

const registries = new WeakMap<HubCore, Registry>();

function metricsOf({ core, parts, peers }: HttpContext): Registry {
  let registry = registries.get(core);
  if (registry === undefined) registries.set(core, (registry = hubMetrics(core, parts, peers)));
  return registry;
}

export function handleHttp(request: IncomingMessage, response: ServerResponse, context: HttpContext): void {
  const path = (request.url ?? "/").replace(/[?#].*$/s, "");
  answerTo(request, response, path, context).then(
    (answer) => {
      if (answer === undefined) return;
      const { status, type, body } = answer;
      response.writeHead(status, { ...SAFE_HEADERS, "content-type": type }).end(body);
    },
    (error: unknown) => {
      context.parts.log.error({ err: error, path }, "a request met a bug");
      if (response.headersSent) response.destroy();
      else response.writeHead(500).end();
    },
  );
}

/** Undefined: it has been answered. */
async function answerTo(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  context: HttpContext,
): Promise<Answer | undefined> {
  const refused = context.gate.refuses(request);
  if (refused !== undefined) return json({ error: refused }, 403);
  if (path.startsWith("/blobs/")) return answerBlobs(request, response, path, context);
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (route === undefined)
    return json({ error: `Nothing is at ${path}; there are ${Object.keys(ROUTES).join(", ")}.` }, 404);
  if (request.method !== "GET") return json({ error: `${path} is read with GET.` }, 405);
  const observer = context.gate.observer(request);
  if (observer === undefined && !route.open) return json({ error: NEEDS_TOKEN }, 401);
  if (observer?.domain !== undefined && route.whole)
    return json(
      { error: `${path} tells of the whole hub; this token is for domain ${observer.domain}.` },
      403,
    );
  return route.answer(context, observer ?? {});
}

async function answerBlobs(
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  { gate, parts }: HttpContext,
): Promise<Answer | undefined> {
  if (request.method !== "GET" && request.method !== "HEAD")
    return json({ error: "Payloads are read with GET or HEAD." }, 405);
  const observer = gate.observer(request);
  if (observer === undefined) return json({ error: NEEDS_TOKEN }, 401);
  const hash = blobOfPath(path);
  const readable = hash !== undefined && mayRead(observer, hash, parts.ledger);
  // One that is somebody else's is answered as one that is not there.
  if (readable && (await answerBlob(request, response, parts.blobs, hash, SAFE_HEADERS))) return undefined;
  return json(
    { error: "There is no such payload; name it like /blobs/ and its SHA-256, 64 small hexadecimal digits." },
    404,
  );
}

const NEEDS_TOKEN =
  "This hub asks for a token of the role observe or main: send it as Authorization: Bearer, over https or from the hub's own machine.";

function json(value: unknown, status = 200): Answer {
  return { status, type: "application/json", body: `${JSON.stringify(value, undefined, 2)}\n` };
}
