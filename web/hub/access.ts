// Reading from the hub, with a ticket where it asks for a token: the token itself never leaves this page.
import { proveObserver } from "../../src/wire/observer.js";
import { sameProof, type Token } from "../../src/wire/token.js";

/** The hub does not let us in; the message says what to do. */
export class Refused extends Error {}

export class Access {
  readonly #token: Token | undefined;
  #ticket: Promise<string> | undefined;

  constructor(token: Token | undefined) {
    this.#token = token;
  }

  /** A response of the hub. Throws Refused; whatever fetch throws when there is no hub. */
  async get(path: string, signal?: AbortSignal): Promise<Response> {
    const first = await this.#get(path, signal);
    if (first.status !== 401) return this.#checked(first);
    // A ticket ends with the hub that gave it.
    this.#ticket = undefined;
    return this.#checked(this.#token === undefined ? first : await this.#get(path, signal));
  }

  async json<T>(path: string): Promise<T> {
    return (await (await this.get(path)).json()) as T;
  }

  async #checked(response: Response): Promise<Response> {
    if (response.status === 401 || response.status === 403) throw new Refused(await errorOf(response));
    if (!response.ok) throw new Error(await errorOf(response));
    return response;
  }

  async #get(path: string, signal?: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = {};
    if (this.#token !== undefined) {
      const ticket = (this.#ticket ??= redeem(this.#token));
      // A ticket that was not to be had is asked for anew the next time.
      ticket.catch(() => (this.#ticket = undefined));
      headers["authorization"] = `Ticket ${await ticket}`;
    }
    return fetch(path, { headers, cache: "no-store", ...(signal && { signal }) });
  }
}

async function redeem(token: Token): Promise<string> {
  const { nonce } = (await (await fetch("/api/nonce", { cache: "no-store" })).json()) as { nonce: string };
  const { given, expected } = proveObserver(token, nonce);
  const response = await fetch("/api/ticket", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(given),
  });
  if (response.status === 401) throw new Refused(await errorOf(response));
  if (!response.ok) throw new Error(await errorOf(response));
  const { ticket, proof } = (await response.json()) as { ticket: string; proof: string };
  if (!sameProof(expected, proof))
    throw new Refused(
      "This hub does not know the token, so it is not the one that gave it out. Check the address.",
    );
  return ticket;
}

async function errorOf(response: Response): Promise<string> {
  try {
    return ((await response.json()) as { error?: string }).error ?? `The hub answered ${response.status}.`;
  } catch {
    return `The hub answered ${response.status}.`;
  }
}
