// The hub's HTTP: who may ask, and which route, page or payload answers.
import type { IncomingMessage, ServerResponse } from "node:http";
import { answerBlob, blobOfPath } from "./blob-route.js";
import { answerEvents } from "./events/index.js";
import type { Pages } from "./pages.js";
import { mayRead } from "./sight.js";
import { json, ONE_OF, ROUTES, type Answer, type HttpContext } from "./routes.js";

/** Nothing here is a page: no script, no frame, no guessing of types, no copies in caches. */
const SAFE_HEADERS = {
  "cache-control": "no-store",
  "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

export interface HttpShell extends HttpContext {
  readonly pages: Pages;
}

export function handleHttp(request: IncomingMessage, response: ServerResponse, shell: HttpShell): void {
  const path = (request.url ?? "/").replace(/[?#].*$/s, "");
  answerTo(request, response, path, shell).then(
    (answer) => {
      if (answer === undefined) return;
      const { status, type, body } = answer;
      response.writeHead(status, { ...SAFE_HEADERS, "content-type": type }).end(body);
    },
    (error: unknown) => {
      shell.parts.log.error({ err: error, path }, "a request met a bug");
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
  shell: HttpShell,
): Promise<Answer | undefined> {
  const refused = shell.gate.refuses(request);
  if (refused !== undefined) return json({ error: refused }, 403);
  if (path.startsWith("/blobs/")) return answerBlobs(request, response, path, shell);
  if (path === "/api/events") return answerFeed(request, response, shell);
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined;
  if (route === undefined) {
    const [, folder = "", name = ""] = /^(\/api\/[a-z]+\/)([0-9a-z]+)$/.exec(path) ?? [];
    const one = Object.hasOwn(ONE_OF, folder) ? ONE_OF[folder] : undefined;
    if (one !== undefined) {
      const observer = shell.gate.watcher(request);
      return observer === undefined ? json({ error: NEEDS_TOKEN }, 401) : one(shell, name, observer);
    }
    if (shell.pages.answer(request, response, path)) return undefined;
    return json(
      { error: `Nothing is at ${path}; there are ${shell.pages.names.join(", ")}, ${ALL.join(", ")}.` },
      404,
    );
  }
  const method = route.method ?? "GET";
  if (request.method !== method) return json({ error: `${path} takes ${method}.` }, 405);
  const observer = shell.gate.watcher(request);
  if (observer === undefined && !route.open) return json({ error: NEEDS_TOKEN }, 401);
  if (observer?.domain !== undefined && route.whole) return ofOneDomain(path, observer.domain);
  if (observer?.owner !== undefined && route.everybody) return ofOneOwner(path, observer.owner);
  return route.answer(shell, observer ?? {}, request);
}

/** What tells of the whole hub is not for a token of one domain. */
function ofOneDomain(path: string, domain: string): Answer {
  return json({ error: `${path} tells of the whole hub; this token is for domain ${domain}.` }, 403);
}

/** Nor is what names everybody's sessions for a token that sees those of its owner. */
function ofOneOwner(path: string, owner: string): Answer {
  return json(
    {
      error: `${path} tells of everybody's work; this token shows that of ${owner}. Ask for one of the role observe.`,
    },
    403,
  );
}

const ALL = [...Object.keys(ROUTES), "/api/events"];

function answerFeed(
  request: IncomingMessage,
  response: ServerResponse,
  shell: HttpShell,
): Answer | undefined {
  if (request.method !== "GET") return json({ error: "The events are read with GET." }, 405);
  const observer = shell.gate.watcher(request);
  if (observer === undefined) return json({ error: NEEDS_TOKEN }, 401);
  if (observer.domain !== undefined) return ofOneDomain("/api/events", observer.domain);
  if (observer.owner !== undefined) return ofOneOwner("/api/events", observer.owner);
  const allowed = () => shell.gate.watcher(request) !== undefined;
  if (answerEvents(request, response, shell.feed, SAFE_HEADERS, allowed)) return undefined;
  return json({ error: "Too many watch this hub already; close a dashboard elsewhere." }, 503);
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
  "This hub asks for a token of the role observe or main: send it as Authorization: Bearer, over https or from the hub's own machine; elsewhere prove it for a ticket (docs/events.md).";
