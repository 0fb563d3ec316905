// Reads a hub's HTTP interface as JSON, with the token as a bearer token where nobody can overhear it.
import { request as plain } from "node:http";
import { request as encrypted } from "node:https";
import { rootCertificates } from "node:tls";
import type { HubTarget } from "../flock/index.node.js";
import { isLoopback } from "../hub/index.js";
import { FlockworkError } from "../ids/index.js";
import { certificateFault, formatToken } from "../wire/index.js";

const TIMEOUT_MS = 5000;

export class HubReader {
  readonly #target: HubTarget;

  constructor(target: HubTarget) {
    this.#target = target;
  }

  /** Throws `hub_unreachable`, `unauthorized`. */
  async read<T>(path: string): Promise<T> {
    const { url } = this.#target;
    const { status, text } = await this.#get(path);
    if (status === 401 || status === 403)
      throw new FlockworkError("unauthorized", reasonIn(text) ?? `${url} refuses (${status}).`);
    const value = status === 200 ? parsed(text) : undefined;
    if (value === undefined)
      throw new FlockworkError("hub_unreachable", `${url}${path} answered ${status}; is it a Flockwork hub?`);
    return value as T;
  }

  #get(path: string): Promise<{ status: number; text: string }> {
    const { url, ca } = this.#target;
    const request = url.startsWith("wss:") ? encrypted : plain;
    return new Promise((resolve, reject) => {
      const fail = (error: NodeJS.ErrnoException) => reject(unreachable(url, error));
      const outgoing = request(
        url.replace(/^ws/, "http") + path,
        {
          headers: this.#headers(),
          signal: AbortSignal.timeout(TIMEOUT_MS),
          ...(ca !== undefined && { ca: [...rootCertificates, ca] }),
        },
        (response) => {
          const parts: Buffer[] = [];
          response.on("data", (part: Buffer) => parts.push(part));
          response.on("error", fail);
          response.on("end", () =>
            resolve({ status: response.statusCode ?? 0, text: Buffer.concat(parts).toString() }),
          );
        },
      );
      outgoing.on("error", fail).end();
    });
  }

  #headers(): Record<string, string> {
    const { url, token } = this.#target;
    if (token === undefined) return {};
    const { protocol, hostname } = new URL(url);
    if (protocol === "wss:" || isLoopback(hostname.replace(/^\[|\]$/g, "")))
      return { authorization: `Bearer ${formatToken(token)}` };
    throw new FlockworkError(
      "unauthorized",
      `${url} is not encrypted, and the token would be sent as it is: ask on the hub's own machine, or over wss://.`,
    );
  }
}

function unreachable(url: string, error: NodeJS.ErrnoException): FlockworkError {
  const fault = certificateFault(url, error);
  if (fault !== undefined) return new FlockworkError("hub_unreachable", `${fault}.`);
  return new FlockworkError(
    "hub_unreachable",
    `No hub answers at ${url}. Start one there with "flockwork up", or give another address with --hub.`,
  );
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // something else than a hub answered
  }
}

function reasonIn(text: string): string | undefined {
  const value = parsed(text) as { error?: unknown } | null | undefined;
  return typeof value?.error === "string" ? value.error : undefined;
}
