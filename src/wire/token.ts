// Tokens and their proofs. A token never crosses the wire: each side shows that it knows the secret by an HMAC-SHA-256 (RFC 2104)
// over both sides' nonces and the words of the hello, so that nothing of it can be replayed or altered.
import { hmac } from "@noble/hashes/hmac.js";
import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex, utf8ToBytes } from "@noble/hashes/utils.js";
import { FlockworkError, randomBytes, randomHex } from "../ids/index.js";

/** What the bearer of a token may be: a computing node, a main node (which may observe too), or an observer of the hub's pages. */
export const TOKEN_ROLES = ["compute", "main", "observe"] as const;
export type TokenRole = (typeof TOKEN_ROLES)[number];

/** A token as its bearer has it: a public id and 32 secret bytes. */
export interface Token {
  readonly id: string;
  readonly secret: Uint8Array;
}

const SECRET_BYTES = 32;
const ID_BYTES = 6;
const SHAPE = /^fw_([0-9a-f]{12})_([A-Za-z0-9_-]{43})$/;

export function makeToken(): Token {
  return { id: randomHex(ID_BYTES), secret: randomBytes(SECRET_BYTES) };
}

/** `fw_<id>_<secret>`, the secret in base64url. */
export function formatToken({ id, secret }: Token): string {
  const base64 = btoa(String.fromCharCode(...secret));
  return `fw_${id}_${base64.replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "")}`;
}

/** Throws `bad_argument` for what is no token; the message does not repeat the secret. */
export function parseToken(text: string): Token {
  const match = SHAPE.exec(text.trim());
  if (match === null)
    throw new FlockworkError(
      "bad_argument",
      `A token looks like fw_0123456789ab_..., 59 characters; this one has ${text.trim().length}. Copy it whole, or ask for a new one ("flockwork token create").`,
    );
  const base64 = match[2]!.replace(/-/g, "+").replace(/_/g, "/");
  return { id: match[1]!, secret: Uint8Array.from(atob(base64), (char) => char.charCodeAt(0)) };
}

/** The words of a hello that its proof covers: nobody on the way can turn a node into a client or change its domain. */
export interface ProvenWords {
  readonly role: string;
  readonly kind: string;
  readonly id: string;
  readonly session: string;
  readonly instance: string;
  readonly domain: string;
}

export interface Nonces {
  /** From the hub's challenge. */
  readonly hub: string;
  /** From the peer's hello. */
  readonly peer: string;
}

/** 16 random bytes in hexadecimal, used once. */
export function makeNonce(): string {
  return randomHex(16);
}

/** The peer's proof (`side` "peer") or the hub's ("hub"), 64 hexadecimal digits. */
export function proofOf(token: Token, side: "peer" | "hub", nonces: Nonces, words: ProvenWords): string {
  const { role, kind, id, session, instance, domain } = words;
  const text = JSON.stringify([
    "flockwork 1",
    side,
    nonces.hub,
    nonces.peer,
    role,
    kind,
    id,
    session,
    instance,
    domain,
  ]);
  return bytesToHex(hmac(sha256, token.secret, utf8ToBytes(text)));
}

/** Compares two proofs in time that does not depend on where they differ. */
export function sameProof(a: string, b: string): boolean {
  let difference = a.length ^ b.length;
  for (let i = 0; i < Math.min(a.length, b.length); i++) difference |= a.charCodeAt(i) ^ b.charCodeAt(i);
  return difference === 0;
}
