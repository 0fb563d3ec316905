// What the commands that read a hub share: their options, and where the hub is.
import type { Command } from "commander";
import { findHub, type HubTarget } from "../flock/index.node.js";
import { readPem } from "./arguments.js";

export interface ObserveFlags {
  readonly hub?: string;
  readonly token?: string;
  readonly ca?: string;
  readonly json?: boolean;
}

export function observeFlags(command: Command): Command {
  return command
    .option(
      "--hub <address>",
      "address of the hub (default: FLOCKWORK_HUB, this machine, or found by --token)",
    )
    .option(
      "--token <token>",
      "one that may observe (default: FLOCKWORK_TOKEN, or the hub's own on this machine)",
    )
    .option("--ca <file>", "certificate to trust besides the system's (PEM)")
    .option("--json", "print what the hub says as JSON");
}

/** Throws `bad_argument` for an address that can not be used. */
export function observed({ hub, token, ca }: ObserveFlags): Promise<HubTarget> {
  return findHub(
    {
      ...(hub !== undefined && { hub }),
      ...(token !== undefined && { token }),
      ...(ca !== undefined && { ca: readPem("--ca", ca) }),
      // What it reads is no secret to the network of a hub that speaks plainly; the token is never sent there.
      insecure: true,
    },
    "observe",
  );
}
