// Who may enter: the hello's token, the Host and Origin of a request, and how many connections an address may have.
import type { IncomingMessage } from "node:http";
import { isIP } from "node:net";
import { FlockworkError } from "../ids/index.js";
import { answerHello, parseToken, type MessageOf, type TokenRole } from "../wire/index.js";
import { observerOf, Tickets, type Observer } from "./tickets.js";
import type { TokenRecord, TokenStore } from "./tokens.js";

/** Whoever came in. Without tokens everybody on this machine is the owner "local". */
export interface Bearer {
  readonly owner: string;
  /** The token's id; undefined where none was asked for. */
  readonly token?: string;
}

export interface GateOptions {
  readonly tokens: TokenStore;
  /** Whether a token is asked for. */
  readonly required: boolean;
  /** Whether the connection is encrypted, so that an HTTP client may send its token as it is. */
  readonly encrypted: boolean;
  /** Names besides localhost and IP addresses under which this hub may be addressed. */
  readonly hosts: readonly string[];
  /** Pages of other origins that may connect, like http://example.org:8080. */
  readonly origins: readonly string[];
}

const LOCAL: Bearer = { owner: "local" };

const ROLE_OF: { readonly [role in MessageOf<"hello">["role"]]: TokenRole } = {
  client: "main",
  node: "compute",
  beat: "compute",
};

export class Gate {
  /** For pages that prove their token over HTTP. */
  readonly tickets: Tickets;
  readonly #options: GateOptions;

  constructor(options: GateOptions) {
    this.#options = options;
    this.tickets = new Tickets(options.tokens);
  }

  get asksToken(): boolean {
    return this.#options.required;
  }

  /** Lets a hello in. Throws `unauthorized`, the same for an unknown token and a wrong proof. */
  admit(hello: MessageOf<"hello">, nonce: string): { readonly bearer: Bearer; readonly proof?: string } {
    const { tokens, required } = this.#options;
    if (hello.auth === undefined) {
      if (!required) return { bearer: LOCAL };
      throw new FlockworkError(
        "unauthorized",
        'This hub asks for a token: give it with --token, FLOCKWORK_TOKEN or the link that "flockwork up" printed.',
      );
    }
    const record = tokens.find(hello.auth.token);
    const proof = record === undefined ? undefined : answerHello(hello, nonce, record);
    if (record === undefined || proof === undefined)
      throw new FlockworkError(
        "unauthorized",
        `Token ${hello.auth.token} is not known here, or was revoked; ask for a new one.`,
      );
    const wanted = ROLE_OF[hello.role];
    if (record.role !== wanted)
      throw new FlockworkError(
        "unauthorized",
        `Token ${record.id} has the role ${record.role}; a ${hello.kind} node needs one with the role ${wanted}.`,
      );
    if (record.domain !== undefined && record.domain !== hello.domain)
      throw new FlockworkError(
        "unauthorized",
        `Token ${record.id} is for domain ${record.domain}, not ${hello.domain}.`,
      );
    return { bearer: { owner: record.owner, token: record.id }, proof };
  }

  /** Why a request's Host or Origin is not acceptable; undefined when it is. A name that only points here is DNS rebinding. */
  refuses(request: IncomingMessage): string | undefined {
    const { hosts, origins } = this.#options;
    const host = hostnameOf(`http://${request.headers.host ?? ""}`);
    if (host === undefined || !(host === "localhost" || isIP(host) !== 0 || hosts.includes(host)))
      return `This hub is not called "${request.headers.host ?? ""}"; use its address, or start it with --allow-host.`;
    const { origin } = request.headers;
    if (origin === undefined || origins.includes(origin)) return undefined;
    const from = URL.canParse(origin) ? new URL(origin).host : undefined;
    return from === request.headers.host
      ? undefined
      : `Pages of ${origin} may not use this hub; start it with --allow-origin ${origin} if they may.`;
  }

  /** Who reads, by the token that it sends as a bearer token over TLS or loopback; undefined: it may not. */
  observer(request: IncomingMessage): Observer | undefined {
    const { tokens, required, encrypted } = this.#options;
    if (!required) return {};
    const match = /^Bearer (.+)$/.exec(request.headers.authorization ?? "");
    if (match === null || !(encrypted || isLoopback(request.socket.remoteAddress))) return undefined;
    const record = bearer(match[1]!, tokens);
    return record && observerOf(record);
  }

  /** Who reads the hub's counts: as observer(), or with a ticket that was given for a proof. */
  watcher(request: IncomingMessage): Observer | undefined {
    const match = /^Ticket ([0-9a-f]+)$/.exec(request.headers.authorization ?? "");
    if (match === null) return this.observer(request);
    const address = request.socket.remoteAddress ?? "";
    return this.tickets.observer(match[1]!, address, Date.now());
  }
}

function bearer(text: string, tokens: TokenStore): TokenRecord | undefined {
  try {
    const given = parseToken(text);
    const record = tokens.find(given.id);
    return record !== undefined && same(record.secret, given.secret) ? record : undefined;
  } catch {
    return undefined; // no token at all, which is answered like a wrong one
  }
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < Math.min(a.length, b.length); i++) difference |= a[i]! ^ b[i]!;
  return difference === 0;
}

function hostnameOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  return new URL(url).hostname.replace(/^\[|\]$/g, "");
}

/** Whether an address is this machine's own. */
export function isLoopback(address: string | undefined): boolean {
  if (address === undefined) return false;
  // A name like 127.example.org is somebody else's.
  return (
    address === "localhost" || address === "::1" || (isIP(address) !== 0 && /^(::ffff:)?127\./.test(address))
  );
}
