// Where the hub is: what the caller says, what the environment says, the hub on this machine, and if there is none, one
// inside this process.
import { homedir } from "node:os";
import { join } from "node:path";
import { startHub, type Hub, type HubOptions } from "../hub/index.js";
import { DEFAULT_PORT, FlockworkError } from "../ids/index.js";

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

/** The hub's address as given, from FLOCKWORK_HUB, or on this machine. Throws `bad_argument` when it is no address. */
export function hubAddress(given?: string): string {
  const text = given ?? process.env["FLOCKWORK_HUB"] ?? `ws://127.0.0.1:${localPort()}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const protocol = url?.protocol.replace(/^http/, "ws");
  if (url === undefined || (protocol !== "ws:" && protocol !== "wss:"))
    throw new FlockworkError(
      "bad_argument",
      `The hub's address "${text}" can not be used; write it like ws://localhost:9999.`,
    );
  return `${protocol}//${url.host}`;
}

/** Where a hub keeps its data unless told otherwise: FLOCKWORK_DATA, or a folder of the user's. */
export function defaultDataDir(): string {
  const base = process.env["XDG_DATA_HOME"] ?? join(homedir(), ".local", "share");
  return process.env["FLOCKWORK_DATA"] ?? join(base, "flockwork");
}

/** What the hub at an address says of itself; undefined when none answers. */
export async function hubHealth(url: string): Promise<{ readonly passing: boolean } | undefined> {
  try {
    const response = await fetch(`${url.replace(/^ws/, "http")}/healthz`, {
      signal: AbortSignal.timeout(1000),
    });
    const text = await response.text();
    return { passing: /"passing": true/.test(text) };
  } catch {
    return undefined; // nobody listens, or not as a hub: the link will say why when it is tried
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
