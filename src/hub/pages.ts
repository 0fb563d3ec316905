// The pages people look at, as `npm run build` left them, each in its smallest form, sent with the right to run only what came
// from this hub.
import { createHash } from "node:crypto";
import { createReadStream, readdirSync, readFileSync, statSync } from "node:fs";
import type { IncomingMessage, ServerResponse } from "node:http";
import { extname } from "node:path";
import { pipeline } from "node:stream";

/** Where pages are, besides the names of their files. */
const PLACES: { readonly [path: string]: string } = { "/": "/index.html", "/dashboard": "/dashboard.html" };

const TYPES: { readonly [extension: string]: string } = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".mjs": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
  ".txt": "text/plain; charset=utf-8",
};

/** The best first. */
const ENCODINGS = [
  ["br", ".br"],
  ["gzip", ".gz"],
] as const;

interface Form {
  readonly file: URL;
  readonly bytes: number;
}

interface Page {
  readonly type: string;
  readonly etag: string;
  /** Its name says its content. */
  readonly hashed: boolean;
  readonly plain: Form;
  readonly encoded: ReadonlyMap<string, Form>;
}

export class Pages {
  readonly #pages = new Map<string, Page>();

  /** Takes what lies in `folder`, which may be missing: then there are no pages, and whoever asks is told why. */
  constructor(folder: URL) {
    for (const name of filesOf(folder)) {
      const type = TYPES[extname(name)];
      if (type === undefined) continue;
      const file = new URL(`.${name}`, folder);
      const encoded = new Map<string, Form>();
      for (const [encoding, ending] of ENCODINGS) {
        const form = formOf(new URL(`.${name}${ending}`, folder));
        if (form !== undefined) encoded.set(encoding, form);
      }
      const hashed = name.startsWith("/assets/");
      const etag = `"${hashed ? name.slice("/assets/".length) : digest(readFileSync(file))}"`;
      this.#pages.set(name, { type, etag, hashed, plain: formOf(file)!, encoded });
    }
  }

  get names(): readonly string[] {
    return Object.keys(PLACES);
  }

  /** False, and nothing answered, when there is no such page. */
  answer(request: IncomingMessage, response: ServerResponse, path: string): boolean {
    const page = this.#pages.get(Object.hasOwn(PLACES, path) ? PLACES[path]! : path);
    if (page === undefined) {
      if (!Object.hasOwn(PLACES, path)) return false;
      response.writeHead(404, { "content-type": "text/plain; charset=utf-8" });
      response.end("The pages of this hub are not built; run: npm run build\n");
      return true;
    }
    if (request.method !== "GET" && request.method !== "HEAD") {
      response.writeHead(405, { allow: "GET, HEAD" }).end();
      return true;
    }
    const headers = { ...pageHeaders(request), ...headersOf(page) };
    if (request.headers["if-none-match"]?.includes(page.etag)) {
      response.writeHead(304, headers).end();
      return true;
    }
    const accepted = request.headers["accept-encoding"] ?? "";
    const encoding = ENCODINGS.find(([name]) => accepted.includes(name) && page.encoded.has(name))?.[0];
    const body = encoding === undefined ? page.plain : page.encoded.get(encoding)!;
    response.writeHead(200, {
      ...headers,
      "content-type": page.type,
      "content-length": body.bytes,
      ...(encoding !== undefined && { "content-encoding": encoding }),
    });
    if (request.method === "HEAD") response.end();
    // Who asked may leave in the middle; nothing is to be done about that.
    else pipeline(createReadStream(body.file), response, () => undefined);
    return true;
  }
}

function headersOf({ etag, hashed }: Page): Record<string, string> {
  return {
    etag,
    vary: "accept-encoding, origin",
    "cache-control": hashed ? "public, max-age=31536000, immutable" : "no-cache",
  };
}

/** A page runs what this hub sent, talks to this hub, and is framed by nobody. */
function pageHeaders({ headers }: IncomingMessage): Record<string, string> {
  // Not the header's own text: what gets into a policy must be a host and nothing else.
  const { host } = new URL(`http://${headers.host ?? "localhost"}`);
  return {
    "content-security-policy": [
      "default-src 'none'",
      "script-src 'self' 'wasm-unsafe-eval'",
      "worker-src 'self'",
      // Not every browser takes 'self' for the hub's own WebSocket.
      `connect-src 'self' ws://${host} wss://${host}`,
      "style-src 'self'",
      "font-src 'self'",
      "img-src 'self' data:",
      "manifest-src 'self'",
      "base-uri 'none'",
      "form-action 'none'",
      "frame-ancestors 'none'",
    ].join("; "),
    // A page of an origin that the operator allowed may load flockwork.js; others have been turned away before.
    ...(headers.origin !== undefined && { "access-control-allow-origin": headers.origin }),
    "cross-origin-resource-policy": headers.origin === undefined ? "same-origin" : "cross-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=()",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
  };
}

function filesOf(folder: URL): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) =>
        `${entry.parentPath.slice(folder.pathname.length - 1)}/${entry.name}`.replace(/^\/+/, "/"),
      );
  } catch {
    return []; // not built
  }
}

function formOf(file: URL): Form | undefined {
  const bytes = statSync(file, { throwIfNoEntry: false })?.size;
  return bytes === undefined ? undefined : { file, bytes };
}

function digest(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex").slice(0, 16);
}
