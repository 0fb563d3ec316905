// Mistakes of the user's and of the world's at the command line: one line that says what and what to do, no stack trace, an exit
// code that is not 0.
import { createServer as createHttp } from "node:http";
import { createServer, type AddressInfo, type Server } from "node:net";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { WebSocketServer } from "ws";
import { decodeFrame, encodeFrame, PROTOCOL_VERSION } from "../../dist/wire/index.js";
import { dial } from "../../dist/wire/socket.node.js";
import { Flock, freePort, until, type Program } from "../flock.js";

/** Waits for the command's end; it must have said exactly this one line to stderr, and failed. */
async function failsWith(program: Program, ...parts: readonly (string | RegExp)[]): Promise<void> {
  const code = await program.ended;
  expect(program.err, program.out.join("\n")).toHaveLength(1);
  saysWell(program.err[0]!, parts);
  expect(code).toBeTypeOf("number");
  expect(code).not.toBe(0);
}

function saysWell(line: string, parts: readonly (string | RegExp)[]): void {
  for (const part of parts) expect(line).toMatch(part);
  expect(line).not.toMatch(/^\s+at |node:internal|\.js:\d+/);
}

async function listening(flock: Flock, server: Server): Promise<number> {
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  flock.atEnd(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe.concurrent("one line and a code for", { timeout: 40_000 }, () => {
  it("a port in use, by a hub or by anything", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const port = await listening(flock, createServer());
    for (const taken of [hub.port, port])
      await failsWith(
        flock.command("up", "--port", String(taken), "--data", join(flock.folder, "other")),
        `${taken}`,
        /in use/,
        /--port/,
      );
  });

  it("a hub that can not be reached", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = `ws://127.0.0.1:${await freePort()}`;
    await failsWith(flock.command("status", "--hub", hub), hub, /flockwork up/);
    // Who joins waits for a hub, and says so once; start order does not matter.
    for (const command of [
      flock.command("main-node", "--hub", hub, "job"),
      flock.command("computing-node", "--hub", hub),
    ]) {
      saysWell(await command.warned(/./), [hub, /flockwork up/]);
      command.signal("SIGINT");
      expect(await command.ended).not.toBe(0);
      expect(command.err).toHaveLength(1);
    }
  });

  it("something that is no hub", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const page = createHttp((_, response) => response.writeHead(404).end());
    const hub = `ws://127.0.0.1:${await listening(flock, page)}`;
    await failsWith(flock.command("status", "--hub", hub), hub.slice(2), /Flockwork hub/);
    const command = flock.command("main-node", "--hub", hub, "job");
    saysWell(await command.warned(/./), [hub]);
  });

  it("a service nobody offers", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    await flock.worker(hub.url, { services: ["upper", "slow"] });
    await failsWith(
      flock.command("main-node", "--hub", hub.url, "--service", "uper", "job"),
      /"uper"/,
      /slow, upper/,
      /--service/,
    );
    // Told to wait, it waits.
    const patient = flock.command("main-node", "--hub", hub.url, "--service", "quiet", "--wait", "job");
    saysWell(await patient.warned(/quiet/), [/No connected node offers/]);
    await flock.worker(hub.url, { services: ["quiet"] });
    await patient.said(/=> <JOB>/);
    expect(await patient.ended).toBe(0);
  });

  it("a hub of another version", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    // One that welcomes in its own version, and one that refuses ours.
    const welcome = {
      t: "welcome",
      version: 99,
      software: "flockwork/99.0",
      hub: "h",
      nextSeq: 0,
      missed: 0,
    };
    const notice = {
      t: "notice",
      code: "version_mismatch",
      message: "This hub (flockwork/99.0) speaks protocol 99; install the same version of flockwork on both.",
      fatal: true,
    };
    for (const answer of [welcome, notice]) {
      const server = new WebSocketServer({ host: "127.0.0.1", port: 0 });
      server.on("connection", (socket) => socket.on("message", () => socket.send(encodeFrame([answer]))));
      await new Promise((done) => server.once("listening", done));
      flock.atEnd(() => {
        for (const client of server.clients) client.terminate();
        server.close();
      });
      const hub = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await Promise.all([
        failsWith(flock.command("main-node", "--hub", hub, "job"), /99/, /same version/),
        failsWith(flock.command("computing-node", "--hub", hub), /99/, /same version/),
      ]);
    }
  });

  it("a peer of another version, which the hub tells and drops", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const socket = dial(hub.url);
    const said: { t: string; code?: string; message?: string; fatal?: boolean }[] = [];
    let closed = false;
    socket.onMessage = (bytes) => said.push(...(decodeFrame(bytes) as typeof said));
    socket.onClose = () => (closed = true);
    socket.onOpen = () =>
      socket.send(
        encodeFrame([
          { t: "hello", version: 99, software: "flockwork/99.0", role: "client", fromTheFuture: [] },
        ]),
      );
    await until(
      "the end of the connection",
      () => closed,
      (is) => is,
    );
    expect(said).toHaveLength(1);
    expect(said[0]).toMatchObject({ t: "notice", code: "version_mismatch", fatal: true });
    saysWell(said[0]!.message!, [/99/, `${PROTOCOL_VERSION}`, /same version/]);
  });

  it("arguments that can not be", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const services = join(flock.folder, "services.mjs");
    writeFileSync(services, "export const answer = 42;\n");
    await Promise.all([
      failsWith(flock.command("status", "--hub", "nowhere"), /"nowhere"/, /ws:\/\/localhost:9999/),
      failsWith(
        flock.commandIn({ FLOCKWORK_HUB: "ftp://x" }, "status"),
        /"ftp:\/\/x"/,
        /ws:\/\/localhost:9999/,
      ),
      failsWith(
        flock.command("node", "--hub", "ws://127.0.0.1:1", "--services", "absent.mjs"),
        /absent\.mjs/,
      ),
      failsWith(
        flock.command("node", "--hub", "ws://127.0.0.1:1", "--services", services),
        /exports no function/,
      ),
      failsWith(
        flock.command("up", "--port", "0", "--ephemeral", "--log-filter", "("),
        /"\("/,
        /regular expression/,
      ),
    ]);
    // The parser of arguments adds where to read more.
    for (const command of [
      flock.command("up", "--port", "99999"),
      flock.command("computing-node", "many"),
      flock.command("main-node", "--no-such-option"),
    ]) {
      expect(await command.ended).toBe(2);
      expect(command.err.filter((line) => line !== "").at(-1)).toContain("--help");
      saysWell(command.err[0]!, [/^flockwork: /]);
    }
  });
});
