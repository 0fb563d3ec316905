// Two hosts and a router between them, as network namespaces of the test's own. Nothing here touches the machine's network.
import { execFileSync, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Program, type Flock } from "../flock.js";

const CLI = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));

/** Why there can be no namespaces here; undefined where there can. */
export function noNamespaces(): string | undefined {
  if (process.getuid?.() !== 0) return "not root";
  const probe = `fw-probe-${process.pid}`;
  try {
    run("ip", "netns", "add", probe);
    run("ip", "-n", probe, "link", "add", "probe0", "type", "veth", "peer", "name", "probe1");
    return undefined;
  } catch (error) {
    return error instanceof Error ? (error.message.split("\n").at(-2) ?? error.message) : String(error);
  } finally {
    try {
      run("ip", "netns", "del", probe);
    } catch {
      // It was never made.
    }
  }
}

function run(command: string, ...args: string[]): void {
  execFileSync(command, args, { stdio: ["ignore", "ignore", "pipe"] });
}

let networks = 0;

/**
 * `hub` (10.77.0.1) and `node` (10.77.0.2) on one cable; with `router`, the node is 10.78.0.2 behind a router that lets it
 * out and nothing in.
 */
export class Network {
  readonly #flock: Flock;
  readonly #prefix = `fw-${process.pid}-${networks++}`;
  readonly hubAddress = "10.77.0.1";
  readonly nodeAddress: string;

  constructor(flock: Flock, { router = false } = {}) {
    this.#flock = flock;
    this.nodeAddress = router ? "10.78.0.2" : "10.77.0.2";
    for (const host of router ? ["hub", "router", "node"] : ["hub", "node"]) {
      run("ip", "netns", "add", this.#name(host));
      flock.atEnd(() => run("ip", "netns", "del", this.#name(host)));
      this.ip(host, "link", "set", "lo", "up");
    }
    if (!router) {
      this.#cable("hub", this.hubAddress, "node", this.nodeAddress);
      // As on any host with a network: multicast has a way out.
      for (const host of ["hub", "node"]) this.ip(host, "route", "add", "default", "dev", "eth-" + host);
      return;
    }
    this.#cable("hub", this.hubAddress, "router", "10.77.0.254");
    this.#cable("router", "10.78.0.254", "node", this.nodeAddress, "in");
    this.ip("hub", "route", "add", "default", "via", "10.77.0.254");
    this.ip("node", "route", "add", "default", "via", "10.78.0.254");
    this.inside("router", "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward");
  }

  /** From outside, nothing but answers of this TCP port passes to the node: connections go out only. */
  outgoingOnly(port: number): void {
    const from = ["rule", "add", "iif", "eth-router"];
    this.ip("router", ...from, "ipproto", "tcp", "sport", String(port), "lookup", "main", "pref", "10");
    this.ip("router", ...from, "prohibit", "pref", "20");
  }

  /** The cable of a host is pulled, or put back. */
  cable(host: "hub" | "node", state: "up" | "down"): void {
    this.ip(host, "link", "set", `eth-${host}`, state);
    // A link that went down has lost its routes.
    if (state === "up") this.ip(host, "route", "replace", "default", "dev", `eth-${host}`);
  }

  ip(host: string, ...args: string[]): void {
    run("ip", "-n", this.#name(host), ...args);
  }

  /** A command inside a host, to its end. */
  inside(host: string, ...command: string[]): void {
    run("ip", "netns", "exec", this.#name(host), ...command);
  }

  /** `flockwork` on a host, with an environment in which nothing of the user's is found. */
  command(host: "hub" | "node", ...args: string[]): Program {
    return this.#start(host, [CLI, ...args]);
  }

  /** A script on a host. */
  script(host: "hub" | "node", path: string, ...args: string[]): Program {
    return this.#start(host, [path, ...args]);
  }

  #start(host: string, args: readonly string[]): Program {
    const env: NodeJS.ProcessEnv = {
      ...process.env,
      NO_COLOR: "1",
      FLOCKWORK_DATA: `${this.#flock.folder}/user-${host}`,
    };
    delete env["FLOCKWORK_HUB"];
    const child = spawn("ip", ["netns", "exec", this.#name(host), process.execPath, ...args], {
      cwd: this.#flock.folder,
      env,
      stdio: ["pipe", "pipe", "pipe"],
    });
    const program = new Program(child);
    this.#flock.atEnd(() => program.kill());
    return program;
  }

  #cable(one: string, oneAddress: string, other: string, otherAddress: string, side = ""): void {
    const [a, b] = [`eth-${one}${side && one === "router" ? "-in" : ""}`, `eth-${other}`];
    this.ip(one, "link", "add", a, "type", "veth", "peer", "name", b, "netns", this.#name(other));
    for (const [host, link, address] of [
      [one, a, oneAddress],
      [other, b, otherAddress],
    ] as const) {
      this.ip(host, "addr", "add", `${address}/24`, "dev", link);
      this.ip(host, "link", "set", link, "up");
    }
  }

  #name(host: string): string {
    return `${this.#prefix}-${host}`;
  }
}
