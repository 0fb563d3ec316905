// Finding hubs by multicast DNS (RFC 6762, DNS-SD RFC 6763), service type _flockwork._tcp. A hub announces only that it is
// there; a found hub is used only if it proves that it knows our token.
import { Bonjour } from "bonjour-service";
import { makeNodeId, randomBytes, randomHex, DEFAULT_DOMAIN } from "../ids/index.js";
import { Link, PROTOCOL_VERSION, type Token, type TokenRole } from "../wire/index.js";
import { dialWith } from "../wire/socket.node.js";
import { SOFTWARE } from "../hub/index.js";

const TYPE = "flockwork";
const BROWSE_MS = 2000;
const PROVE_MS = 3000;

/** Announces a hub in the local network until the returned function is called. Never the token, nor what the hub does. */
export function announceHub(name: string, port: number, encrypted: boolean): () => Promise<void> {
  const bonjour = new Bonjour();
  bonjour.publish({
    name,
    type: TYPE,
    port,
    txt: { v: String(PROTOCOL_VERSION), tls: encrypted ? "1" : "0" },
  });
  return () =>
    new Promise((resolve) => {
      bonjour.unpublishAll(() => bonjour.destroy(() => resolve()));
    });
}

/** The address of a hub in the local network that proves it knows the token; undefined when none does within seconds. */
export async function findInNetwork(
  token: Token,
  role: TokenRole,
  insecure: boolean,
  ca: string | undefined,
  domain: string | number = DEFAULT_DOMAIN,
): Promise<string | undefined> {
  const tried = new Set<string>();
  const bonjour = new Bonjour(undefined, () => undefined);
  try {
    return await new Promise((resolve) => {
      const proving: Promise<void>[] = [];
      bonjour.find({ type: TYPE }, (service) => {
        const encrypted = (service.txt as { tls?: string } | undefined)?.tls === "1";
        if (!encrypted && !insecure) return;
        for (const address of service.addresses ?? []) {
          const url = `${encrypted ? "wss" : "ws"}://${address.includes(":") ? `[${address}]` : address}:${service.port}`;
          if (tried.has(url)) continue;
          tried.add(url);
          proving.push(
            proves(url, token, role, ca, String(domain)).then((proven) => {
              if (proven) resolve(url);
            }),
          );
        }
      });
      setTimeout(() => void Promise.all(proving).then(() => resolve(undefined)), BROWSE_MS);
    });
  } finally {
    await new Promise<void>((resolve) => bonjour.destroy(() => resolve()));
  }
}

/** Says hello as a beat of a node that does not exist, which binds the hub to nothing, and sees whether it can answer. */
async function proves(
  url: string,
  token: Token,
  role: TokenRole,
  ca: string | undefined,
  domain: string,
): Promise<boolean> {
  const id = makeNodeId("probe", randomBytes(4));
  const link = new Link<"beat">({
    url,
    dial: dialWith({ ca, handshakeTimeoutMs: PROVE_MS }),
    token,
    hello: () => ({
      t: "hello",
      version: PROTOCOL_VERSION,
      software: SOFTWARE,
      role: role === "compute" ? "beat" : "client",
      kind: "discovery",
      id,
      session: id,
      instance: randomHex(8),
      domain,
    }),
    onUp: () => undefined,
    onDown: () => undefined,
    onMessage: () => undefined,
  });
  const late = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), PROVE_MS).unref());
  try {
    return await Promise.race([link.connect().then(() => true), late]);
  } catch {
    return false; // it refused us or could not show that it knows the token: not our hub
  } finally {
    await link.close();
  }
}
