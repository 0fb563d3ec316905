// Links that let others in: the hub's address with a token in the fragment, which browsers and clients keep to themselves.
import { networkInterfaces } from "node:os";
import { toString as qrText } from "qrcode";
import type { Hub } from "../flock/index.node.js";
import type { TokenRecord } from "../hub/index.js";
import { formatToken } from "../wire/index.js";
import { blackOnWhite, bold, dim, say } from "./screen.js";

const WHAT: { readonly [role in TokenRecord["role"]]: string } = {
  compute: "add a computing node",
  main: "send jobs",
  observe: "watch",
};

/** Opened in a browser it takes part, or watches; `https://192.168.1.5:9999/#token=fw_...` */
export function linkOf(base: string, token: TokenRecord): string {
  return `${base}/${token.role === "observe" ? "dashboard" : ""}#token=${formatToken(token)}`;
}

/** Where others reach a hub that listens on `url`: on every address, that is this machine's first in the network. */
export function reachableBase(url: string): string {
  const { protocol, hostname, port } = new URL(url.replace(/^ws/, "http"));
  const any = hostname === "0.0.0.0" || hostname === "[::]";
  return `${protocol}//${any ? (firstAddress() ?? "localhost") : hostname}:${port}`;
}

function firstAddress(): string | undefined {
  return Object.values(networkInterfaces())
    .flat()
    .find((address) => address !== undefined && address.family === "IPv4" && !address.internal)?.address;
}

/** Prints a link for each role, and the one for computing nodes as a QR code on a terminal. */
export async function printLinks(hub: Hub): Promise<void> {
  const base = reachableBase(hub.url);
  for (const token of hub.tokens.list())
    say(
      `To ${WHAT[token.role]}${token.owner === "owner" ? "" : ` as ${token.owner}`}: ${bold(linkOf(base, token))}`,
    );
  const compute = hub.tokens.list().find((token) => token.role === "compute");
  if (compute !== undefined && process.stdout.isTTY) {
    // An even margin: two rows make a line. Black on white whatever the terminal's colours are, as readers expect it.
    const code = await qrText(linkOf(base, compute), { type: "utf8", margin: 2 });
    for (const line of code.split("\n")) say(blackOnWhite(line));
    say(dim("Whoever has a link may use it: pass it on like a key."));
  }
}
