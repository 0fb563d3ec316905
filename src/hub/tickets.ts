// Tickets: how a page proves its token over a plain connection, where the token itself must not pass. It asks for a nonce,
// answers with a proof as in a hello, and gets a ticket: good for reading what observers may, from the same address, for a while.
import { FlockworkError, randomHex } from "../ids/index.js";
import { answerObserver, makeNonce, type ObserverProof } from "../wire/index.js";
import type { TokenRecord, TokenStore } from "./tokens.js";

const NONCE_MS = 30_000;
/** Renewed by each use. */
const TICKET_MS = 15 * 60_000;
const MOST = 1024;

interface Ticket {
  readonly token: string;
  readonly address: string;
  until: number;
}

export class Tickets {
  readonly #tokens: TokenStore;
  readonly #nonces = new Map<string, number>();
  readonly #tickets = new Map<string, Ticket>();

  constructor(tokens: TokenStore) {
    this.#tokens = tokens;
  }

  /** A nonce that one proof may cover. */
  nonce(now: number): string {
    const nonce = makeNonce();
    makeRoom(this.#nonces, (until) => until < now);
    this.#nonces.set(nonce, now + NONCE_MS);
    return nonce;
  }

  /** A ticket for a proof. Throws `unauthorized`, the same for an unknown token and a wrong proof. */
  redeem(given: ObserverProof, address: string, now: number): { ticket: string; proof: string } {
    const fresh = (this.#nonces.get(given.hubNonce) ?? -1) >= now;
    this.#nonces.delete(given.hubNonce);
    const record = this.#tokens.find(given.token);
    const proof = record && fresh ? answerObserver(given, record) : undefined;
    if (record === undefined || proof === undefined)
      throw new FlockworkError(
        "unauthorized",
        `Token ${given.token.slice(0, 64)} is not known here, or was revoked; ask for a new one.`,
      );
    if (observerOf(record) === undefined)
      throw new FlockworkError(
        "unauthorized",
        `Token ${record.id} has the role ${record.role}; watching takes one with the role observe or main.`,
      );
    const ticket = randomHex(24);
    makeRoom(this.#tickets, ({ until }) => until < now);
    this.#tickets.set(ticket, { token: record.id, address, until: now + TICKET_MS });
    return { ticket, proof };
  }

  /** Whose ticket this is, where it is good, from this address, now. */
  observer(text: string, address: string, now: number): Observer | undefined {
    const ticket = this.#tickets.get(text);
    if (ticket === undefined || ticket.address !== address || ticket.until < now) return undefined;
    const record = this.#tokens.find(ticket.token);
    if (record === undefined) return undefined;
    ticket.until = now + TICKET_MS;
    return observerOf(record);
  }
}

/** Who reads what observers may: of one domain where the token is, and as its owner where it may submit. */
export interface Observer {
  readonly domain?: string;
  readonly owner?: string;
}

export function observerOf({ role, domain, owner }: TokenRecord): Observer | undefined {
  if (role === "compute") return undefined;
  return { ...(domain !== undefined && { domain }), ...(role === "main" && { owner }) };
}

/** Drops what is over, and the oldest when that was nothing. */
function makeRoom<V>(map: Map<string, V>, over: (value: V) => boolean): void {
  if (map.size < MOST) return;
  for (const [key, value] of map) if (over(value)) map.delete(key);
  if (map.size >= MOST) map.delete(map.keys().next().value!);
}
