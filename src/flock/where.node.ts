// Where the hub is and what lets us in: what the caller says, what the environment says, the hub on this machine, a hub in the
// network that knows our token; and if there is none, one inside this process.
import { homedir } from "node:os";
import { join } from "node:path";
import { readHolder } from "../backbone/index.js";
import { isLoopback, startHub, TOKEN_FILE, TokenStore, type Hub, type HubOptions } from "../hub/index.js";
import { DEFAULT_PORT, FlockworkError } from "../ids/index.js";
import { certificateFault, parseToken, type Token, type TokenRole } from "../wire/index.js";
import { findInNetwork } from "./discovery.node.js";

/** The port of the hub on this machine: FLOCKWORK_PORT, or 9999. Throws `bad_argument` when it is no port. */
export function localPort(): number {
  const text = process.env["FLOCKWORK_PORT"] ?? String(DEFAULT_PORT);
  const port = Number(text);
  if (!/^\d+$/.test(text) || port < 1 || port > 65_535)
    throw new FlockworkError(
      "bad_argument",
      `FLOCKWORK_PORT is "${text}"; it must be a number from 1 to 65535.`,
    );
  return port;
}

/** The address of the hub on this machine. */
function localHub(): string {
  return `ws://127.0.0.1:${localPort()}`;
}

/** What a caller may say about the hub. Each has an environment variable behind it: FLOCKWORK_HUB, FLOCKWORK_TOKEN, FLOCKWORK_INSECURE. */
export interface HubAccess {
  /** Address like ws://localhost:9999, or a link with a token in it, like https://host:9999/#token=fw_... */
  readonly hub?: string;
  /** Token, as `flockwork up` or `flockwork token create` printed it. */
  readonly token?: string;
  /** Use a plain connection to another machine: the token stays secret, but jobs and solutions can be read and altered on the way. */
  readonly insecure?: boolean;
  /** Certificate to trust besides the system's, as PEM text. */
  readonly ca?: string;
}

export interface HubTarget {
  readonly url: string;
  readonly token?: Token;
  readonly ca?: string;
  /** Nobody said where the hub is: it is on this machine, or is to be started there. */
  readonly local: boolean;
}

/** The address and token of a link. Throws `bad_argument` when it is no address. */
export function hubAddress(given?: string): string {
  return parseLink(given ?? process.env["FLOCKWORK_HUB"] ?? localHub()).url;
}

/** Finds the hub for a peer of this role. Throws `bad_argument` for an address that can not, or must not, be used. */
export async function findHub(
  access: HubAccess & { readonly domain?: string | number | undefined },
  role: TokenRole,
): Promise<HubTarget> {
  const given = access.hub ?? process.env["FLOCKWORK_HUB"];
  const link = given === undefined ? undefined : parseLink(given);
  const tokenText = access.token ?? link?.token ?? process.env["FLOCKWORK_TOKEN"];
  const token = tokenText === undefined ? undefined : parseToken(tokenText);
  const extra = { ...(token && { token }), ...(access.ca !== undefined && { ca: access.ca }) };
  const insecure = access.insecure ?? process.env["FLOCKWORK_INSECURE"] === "1";
  if (link !== undefined) {
    refusePlain(link.url, insecure);
    return { url: link.url, ...extra, local: false };
  }
  const here = await onThisMachine(role);
  if (here !== undefined) return { ...extra, ...here, ...(token && { token }), local: true };
  if (token !== undefined) {
    const found = await findInNetwork(token, role, insecure, access.ca, access.domain);
    if (found !== undefined) return { url: found, ...extra, local: false };
  }
  return { url: localHub(), ...extra, local: true };
}

/** The hub that runs here: on the default port, or wherever the holder of the data directory listens. */
async function onThisMachine(role: TokenRole): Promise<{ url: string; token?: Token } | undefined> {
  const folder = defaultDataDir();
  const holder = readHolder(folder)?.url;
  for (const url of [localHub(), ...(holder === undefined ? [] : [local(holder)])]) {
    if (!(await hubHealth(url))) continue;
    // Whoever can read the hub's own token file is its owner.
    const token = url === (holder && local(holder)) ? ownToken(folder, role) : undefined;
    return { url, ...(token && { token }) };
  }
  return undefined;
}

/** A hub that listens on every address is reached on loopback. */
function local(url: string): string {
  const { protocol, hostname, port } = new URL(url);
  return hostname === "0.0.0.0" || hostname === "[::]" ? `${protocol}//127.0.0.1:${port}` : url;
}

function ownToken(folder: string, role: TokenRole): Token | undefined {
  try {
    return new TokenStore(join(folder, TOKEN_FILE)).list().find((record) => record.role === role);
  } catch {
    return undefined; // not ours to read: the hub will ask for a token and say so
  }
}

/** An address or link in its parts. */
export function parseLink(text: string): { url: string; token?: string } {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const protocol = url?.protocol.replace(/^http/, "ws");
  if (url === undefined || (protocol !== "ws:" && protocol !== "wss:"))
    throw new FlockworkError(
      "bad_argument",
      `The hub's address "${text.replace(/#.*/, "")}" can not be used; write it like ws://localhost:9999.`,
    );
  const token = new URLSearchParams(url.hash.slice(1)).get("token");
  return { url: `${protocol}//${url.host}`, ...(token !== null && { token }) };
}

/** Throws unless the address is this machine's, encrypted, or plain on purpose. */
export function refusePlain(url: string, insecure: boolean): void {
  const { protocol, hostname } = new URL(url);
  if (protocol === "wss:" || insecure || isLoopback(hostname.replace(/^\[|\]$/g, ""))) return;
  throw new FlockworkError(
    "bad_argument",
    `${url} is not encrypted: others on the way can read and alter jobs and solutions. Use wss://, or accept that with --insecure.`,
  );
}

/** Where a hub keeps its data unless told otherwise: FLOCKWORK_DATA, or a folder of the user's. */
export function defaultDataDir(): string {
  const base = process.env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share");
  return process.env["FLOCKWORK_DATA"] ?? join(base, "flockwork");
}

/** What the hub at an address says of itself; undefined when none answers. A certificate we do not trust is an answer too. */
export async function hubHealth(url: string): Promise<{ readonly passing: boolean } | undefined> {
  try {
    const response = await fetch(`${url.replace(/^ws/, "http")}/healthz`, {
      signal: AbortSignal.timeout(1000),
    });
    return { passing: /"passing": true/.test(await response.text()) };
  } catch (error) {
    const { cause } = error as { readonly cause?: unknown };
    // Otherwise nobody listens, or not as a hub: the link will say why when it is tried.
    return cause !== undefined && certificateFault(url, cause) !== undefined ? { passing: false } : undefined;
  }
}

/**
 * A hub for a main node that found none. Two that start at once end up on one: whoever loses the race for the port joins
 * the other. Undefined when another process won.
 */
export async function hubInside(options: HubOptions = {}): Promise<Hub | undefined> {
  try {
    return await startHub({
      port: localPort(),
      dataDir: defaultDataDir(),
      log: { level: "warn", pretty: true },
      passing: true,
      ...options,
    });
  } catch (error) {
    if (error instanceof FlockworkError && error.code === "port_in_use") return undefined;
    throw error;
  }
}
