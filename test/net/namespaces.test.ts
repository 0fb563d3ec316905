// Two hosts on a network of the test's own: finding a hub, TLS, tokens, a cable that is pulled, and a node behind a router
// that lets connections out only.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { certificate, hasOpenssl } from "./certificates.js";
import { Network, noNamespaces } from "./network.js";
import { Flock, until, type OnFinished } from "../flock.js";

const here = (name: string) => fileURLToPath(new URL(name, import.meta.url));
const why = noNamespaces() ?? (hasOpenssl() ? undefined : "no openssl");
if (why !== undefined) process.stderr.write(`two-host tests skip: no network namespaces (${why})\n`);

type Role = "compute" | "main" | "observe";

/** Two hosts, and on one of them a hub that listens on the network, with TLS and tokens. */
async function hosts(onFinished: OnFinished, { router = false, args = [] as string[] } = {}) {
  const flock = new Flock(onFinished);
  const network = new Network(flock, { router });
  const { cert, key } = certificate(
    flock.folder,
    "hub",
    `IP:${network.hubAddress},IP:${network.nodeAddress}`,
  );
  const data = join(flock.folder, "data");
  const where = ["--host", "0.0.0.0", "--port", "9999", "--data", data, "--log-format", "json"];
  const up = () => network.command("hub", "up", ...where, "--tls-cert", cert, "--tls-key", key, ...args);
  const hub = up();
  await hub.said(/listens on wss:\/\/0\.0\.0\.0:9999/, 30_000);
  await hub.said(/^To watch/);
  const stored = JSON.parse(readFileSync(join(data, "tokens.json"), "utf8")) as {
    role: Role;
    token: string;
  }[];
  const tokens = Object.fromEntries(stored.map(({ role, token }) => [role, token])) as Record<Role, string>;
  return { flock, network, hub, cert, key, tokens };
}

describe.skipIf(why !== undefined)("two hosts", () => {
  it("meet by multicast DNS, token and certificate; the links name the hub's address", async ({
    onTestFinished,
  }) => {
    const { network, hub, cert, key, tokens } = await hosts(onTestFinished);
    // Printed once for each role, with the address others reach it by.
    expect(hub.out.filter((line) => /^To /.test(line))).toEqual([
      `To add a computing node: https://10.77.0.1:9999/#token=${tokens.compute}`,
      `To send jobs: https://10.77.0.1:9999/#token=${tokens.main}`,
      `To watch: https://10.77.0.1:9999/dashboard#token=${tokens.observe}`,
    ]);
    const ear = network.script("node", here("mdns-ear.mjs"));
    const heard = await ear.said(/^heard .*_flockwork\._tcp/, 30_000);
    expect(heard).toMatch(/10\.77\.0\.1/);
    for (const token of Object.values(tokens)) expect(ear.out.join("\n")).not.toContain(token.slice(3, 15));
    // A false hub is announced too, with a certificate that the peers trust; it is asked, and not used.
    const liar = network.script("node", here("false-hub.mjs"), network.nodeAddress, cert, key);
    await liar.said(/listens on/);
    const args = ["--ca", cert, "--token"];
    const node = network.command("node", "computing-node", ...args, tokens.compute, "--delay", "0");
    await node.said(/ready/, 60_000);
    const main = network.command("node", "main-node", ...args, tokens.main, "over the network");
    await main.said(/=> <OVER THE NETWORK>/, 60_000);
    expect(await main.ended).toBe(0);
    // With a token of somewhere else, no hub here is the right one, and this host has none.
    const stranger = `fw_0123456789ab_${"A".repeat(43)}`;
    const lost = network.command("node", "computing-node", ...args, stranger);
    await lost.warned(/No hub answers at ws:\/\/127\.0\.0\.1:9999/, 60_000);
  });

  it("use no false hub, though it has a certificate that they trust", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const network = new Network(flock);
    const { cert, key } = certificate(flock.folder, "liar", `IP:${network.hubAddress}`);
    const liar = network.script("hub", here("false-hub.mjs"), network.hubAddress, cert, key);
    const port = (await liar.said(/listens on/, 30_000)).split(" ").at(-1)!;
    const secret = "S".repeat(42) + "A";
    const token = `fw_0123456789ab_${secret}`;
    // Found by multicast: asked, not used.
    const searching = network.command("node", "computing-node", "--ca", cert, "--token", token);
    await searching.warned(/No hub answers at ws:\/\/127\.0\.0\.1:9999/, 60_000);
    const hello = await liar.said(/^hello .*0123456789ab/, 30_000);
    expect(hello).not.toContain(secret);
    // Named by hand: told, not used.
    const told = network.command(
      "node",
      "main-node",
      "--hub",
      `wss://${network.hubAddress}:${port}`,
      "--ca",
      cert,
      "--token",
      token,
      "job",
    );
    expect(await told.ended).toBe(1);
    expect(told.err).toEqual([
      expect.stringMatching(/does not know the token, so it is not the one that gave it out/),
    ]);
  });

  it("are not found on loopback, nor with --no-mdns", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const network = new Network(flock);
    const loopback = network.command("hub", "up", "--port", "9998", "--ephemeral");
    await loopback.said(/listens on/, 30_000);
    const silent = network.command(
      "hub",
      "up",
      "--port",
      "9997",
      "--ephemeral",
      "--insecure",
      "--host",
      "0.0.0.0",
      "--no-mdns",
    );
    await silent.said(/listens on/, 30_000);
    await silent.said(
      /^Not encrypted \(--insecure\): tokens stay secret, but jobs and solutions can be$/,
      30_000,
    );
    const ear = network.script("node", here("mdns-ear.mjs"));
    await ear.said(/^ready/, 30_000);
    // What must not be heard is followed by what must be: a third hub that does announce itself.
    const loud = network.command(
      "hub",
      "up",
      "--port",
      "9996",
      "--ephemeral",
      "--insecure",
      "--host",
      "0.0.0.0",
    );
    await loud.said(/listens on/, 30_000);
    await ear.said(/^heard .*9996/, 30_000);
    expect(ear.out.join("\n")).not.toMatch(/999[78]/);
    // Plain hubs are passed over unless that is asked for, found or named.
    const token = /token=(\S+)/.exec(await loud.said(/^To add/))![1]!;
    const careful = network.command("node", "computing-node", "--token", token);
    await careful.warned(/No hub answers at ws:\/\/127\.0\.0\.1:9999/, 60_000);
    const named = network.command(
      "node",
      "computing-node",
      "--hub",
      `ws://${network.hubAddress}:9996`,
      "--token",
      token,
    );
    expect(await named.ended).toBe(1);
    expect(named.err).toEqual([expect.stringMatching(/is not encrypted/)]);
    const bold = network.command("node", "computing-node", "--token", token, "--insecure");
    await bold.said(/ready/, 60_000);
  });

  it("go on after a cable was pulled for 20 s: no job is lost, and none is answered twice", async ({
    onTestFinished,
  }) => {
    const { network, cert, tokens } = await hosts(onTestFinished);
    const at = ["--hub", "wss://10.77.0.1:9999", "--ca", cert, "--token"];
    const node = network.command("node", "computing-node", ...at, tokens.compute, "--delay", "200");
    await node.said(/ready/, 30_000);
    const jobs = Array.from({ length: 30 }, (_, i) => `job ${i}`);
    const main = network.command("node", "main-node", ...at, tokens.main, ...jobs);
    await main.saidTimes(/=> <JOB/, 5, 60_000);
    network.cable("node", "down");
    await main.warned(/the hub is out of reach/, 30_000);
    await node.warned(/the hub is out of reach/, 30_000);
    const before = main.out.filter((line) => /=> <JOB/.test(line)).length;
    expect(before).toBeLessThan(jobs.length);
    // The pull is what is tested: its length is no condition to wait for.
    await new Promise((over) => setTimeout(over, 20_000));
    network.cable("node", "up");
    expect(await main.ended).toBe(0);
    const solved = main.out.flatMap((line) => /=> <(.*)>/.exec(line)?.[1] ?? []);
    expect(solved.toSorted()).toEqual(jobs.map((job) => job.toUpperCase()).toSorted());
    await main.warned(/the hub is there/);
  });

  it("work where one is behind a router that lets connections out only", async ({ onTestFinished }) => {
    const { network, cert, tokens } = await hosts(onTestFinished, { router: true });
    network.outgoingOnly(9999);
    // From outside nobody reaches it: neither its address nor a port of its own.
    const knock = `require("net").connect(4444,"${network.nodeAddress}").on("connect",()=>process.exit(0)).on("error",()=>process.exit(1))`;
    network.script("node", "-e", `require("net").createServer().listen(4444)`);
    expect(() => network.inside("hub", process.execPath, "-e", knock)).toThrow();
    const at = ["--hub", "wss://10.77.0.1:9999", "--ca", cert, "--token"];
    const node = network.command("node", "computing-node", ...at, tokens.compute, "--delay", "0");
    await node.said(/ready/, 30_000);
    const main = network.command("hub", "main-node", ...at, tokens.main, "from outside");
    await main.said(/=> <FROM OUTSIDE>/, 30_000);
    const status = network.command(
      "node",
      "status",
      "--hub",
      "wss://10.77.0.1:9999",
      "--ca",
      cert,
      "--token",
      tokens.observe,
    );
    await until(
      "the count",
      () => status.out.join("\n"),
      (out) => /1 solved/.test(out),
      30_000,
    );
  });
});
