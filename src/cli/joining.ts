// What the commands that join a hub share: their options, and what they say while no hub answers.
import type { Command } from "commander";
import type { FlockworkError } from "../ids/index.js";
import { readPem } from "./arguments.js";
import { remark } from "./screen.js";

export interface JoinFlags {
  readonly hub?: string;
  readonly token?: string;
  readonly ca?: string;
  readonly insecure?: boolean;
  readonly domain: string;
  readonly name: string;
}

export function joinFlags(command: Command, name: string): Command {
  return command
    .option(
      "--hub <address>",
      "address of the hub, like ws://localhost:9999 (default: FLOCKWORK_HUB, this machine, or found by --token)",
    )
    .option(
      "--token <token>",
      "what the hub lets you in by (default: FLOCKWORK_TOKEN, or the one in the link)",
    )
    .option("--ca <file>", "certificate to trust besides the system's (PEM)")
    .option(
      "--insecure",
      "use a plain connection to another machine: jobs and solutions can be read and altered on the way",
    )
    .option("--domain <name>", "users of one hub in different domains never meet", "166")
    .option("-n, --name <name>", "name part of this node's id", name);
}

/** One line when the hub can not be reached, one when it can again. */
export function outageRemarks(): {
  onWaiting(error: FlockworkError): void;
  onDown(reason: string): void;
  onUp(): void;
} {
  let down = false;
  return {
    onWaiting: (error) => {
      if (!down) remark(error.message);
      down = true;
    },
    onDown: (reason) => {
      if (!down) remark(`the hub is out of reach (${reason}); trying again.`);
      down = true;
    },
    onUp: () => {
      if (down) remark("the hub is there.");
      down = false;
    },
  };
}

/** What the hub wants the user to know. That it stops shows when the link goes down. */
export function remarkOn({ code, message }: { readonly code: string; readonly message: string }): void {
  if (code !== "hub_stopping") remark(message);
}

/** Joining options from the flags. */
export function joinOptions({ hub, token, ca, insecure, domain, name }: JoinFlags) {
  return {
    domain,
    name,
    ...(hub !== undefined && { hub }),
    ...(token !== undefined && { token }),
    ...(ca !== undefined && { ca: readPem("--ca", ca) }),
    ...(insecure && { insecure }),
    ...outageRemarks(),
  };
}
