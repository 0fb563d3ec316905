// TLS as a user meets it, with certificates of the test's own making: commands end to end, and one line for each thing that
// can be wrong about a certificate or a plain connection.
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { certificate, hasOpenssl } from "./certificates.js";
import { Flock, HubProcess, type OnFinished } from "../flock.js";

const there = hasOpenssl();
if (!there) process.stderr.write("TLS tests skip: there is no openssl here\n");

/** A hub that speaks TLS with a certificate of its own, for these names. */
async function encrypted(onFinished: OnFinished, names = "IP:127.0.0.1", days = 2) {
  const flock = new Flock(onFinished);
  const { cert, key } = certificate(flock.folder, "hub", names, days);
  const data = join(flock.folder, "data");
  const args = ["--port", "0", "--data", data, "--require-token", "--tls-cert", cert, "--tls-key", key];
  const program = flock.command("up", ...args, "--log-format", "json");
  const url = /wss:\/\/\S+/.exec(await program.said(/listens on wss:/))![0];
  const link = (what: RegExp) =>
    program.out
      .find((line) => what.test(line))!
      .split(": ")
      .at(-1)!;
  await program.said(/To watch/);
  return {
    flock,
    cert,
    hub: new HubProcess(program, url),
    links: { compute: link(/^To add/), main: link(/^To send/), observe: link(/^To watch/) },
  };
}

describe.skipIf(!there).concurrent("a hub with a certificate", () => {
  it("is used by node, main node and status with --ca, and nothing passes in the clear", async ({
    onTestFinished,
  }) => {
    const { flock, hub, cert, links } = await encrypted(onTestFinished);
    expect(links.main).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/#token=fw_/);
    const road = await flock.road(hub.url);
    const passed: Buffer[] = [];
    road.onFromHub = (bytes) => passed.push(bytes);
    const by = (link: string) => link.replace(/127\.0\.0\.1:\d+/, new URL(road.url).host);
    const node = flock.command(
      "computing-node",
      "--hub",
      by(links.compute),
      "--ca",
      cert,
      "--delay",
      "0",
      "1",
    );
    const main = flock.command("main-node", "--hub", by(links.main), "--ca", cert, "secret word");
    await main.said(/=> <SECRET WORD>/);
    expect([await main.ended, await node.ended]).toEqual([0, 0]);
    expect([main.err, node.err]).toEqual([[], []]);
    expect(passed.length).toBeGreaterThan(0);
    expect(Buffer.concat(passed).toString("latin1")).not.toMatch(/secret word|SECRET WORD|challenge/);
    const status = flock.command("status", "--hub", links.observe, "--ca", cert);
    await status.said(/1 solved/);
    expect(await status.ended).toBe(0);
  });

  it("is not used without --ca or with another's, and the line says what to do", async ({
    onTestFinished,
  }) => {
    const { flock, hub, links } = await encrypted(onTestFinished);
    const other = certificate(flock.folder, "other", "IP:127.0.0.1").cert;
    for (const [why, ...args] of [
      [
        /The certificate of wss:\S+ is not accepted \(self-signed certificate\)\. If it is the hub's own, give it with --ca; still trying\./,
      ],
      [
        /is not accepted \(.*certificate.*\)\. If it is the hub's own, give it with --ca; still trying\./,
        "--ca",
        other,
      ],
    ] as const) {
      const main = flock.command("main-node", "--hub", links.main, ...args, "job");
      expect(await main.warned(/certificate/)).toMatch(why);
      await main.kill();
      expect(main.err).toHaveLength(1);
    }
    const status = flock.command("status", "--hub", links.observe);
    expect(await status.ended).toBe(1);
    expect(status.err).toEqual([expect.stringMatching(/give it with --ca\.$/)]);
    // Somebody who speaks plainly with it learns nothing and does no harm.
    const plain = flock.command("main-node", "--hub", links.main.replace("https", "http"), "job");
    await plain.warned(/No hub answers/);
    await plain.kill();
    expect(hub.program.err.filter((line) => /a bug/.test(line))).toEqual([]);
  });

  it("for another address is told apart", async ({ onTestFinished }) => {
    const elsewhere = await encrypted(onTestFinished, "IP:192.0.2.1");
    const args = ["--hub", elsewhere.links.main, "--ca", elsewhere.cert, "job"];
    const main = elsewhere.flock.command("main-node", ...args);
    expect(await main.warned(/certificate/)).toMatch(
      /Use an address that it names, or give the hub a certificate/,
    );
    await main.kill();
  });
});

describe.skipIf(!there).concurrent("a certificate that is out of date", () => {
  it("is told to whoever starts the hub and to whoever joins", async ({ onTestFinished }) => {
    const { flock, hub, cert, links } = await encrypted(onTestFinished, "IP:127.0.0.1", -1);
    await hub.program.warned(/The certificate is good from .* to .*, so nobody will accept it now/);
    const main = flock.command("main-node", "--hub", links.main, "--ca", cert, "job");
    expect(await main.warned(/certificate/)).toMatch(
      /is not accepted \(certificate has expired\)\. Give the hub a new one, or set the clock right; still trying\.$/,
    );
    await main.kill();
  });
});

describe.concurrent("without encryption", () => {
  it("another machine is not spoken to unless asked for, by no command", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    // An address for documentation (RFC 5737): the command must end before it sends anything.
    const token = `fw_0123456789ab_${"A".repeat(43)}`;
    for (const command of [["main-node", "job"], ["computing-node"]]) {
      const refused = flock.command(
        command[0]!,
        "--hub",
        `ws://192.0.2.1:9999/#token=${token}`,
        ...command.slice(1),
      );
      expect(await refused.ended).toBe(1);
      expect(refused.err).toEqual([
        expect.stringMatching(
          /^flockwork: ws:\/\/192\.0\.2\.1:9999 is not encrypted: .* Use wss:\/\/, or accept that with --insecure\.$/,
        ),
      ]);
    }
  });

  it("a hub does not listen where others are, unless told with --insecure", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const refused = flock.command("up", "--port", "0", "--host", "0.0.0.0", "--ephemeral");
    expect(await refused.ended).toBe(1);
    expect(refused.err).toEqual([expect.stringMatching(/--tls-cert, --tls-key.*--insecure/)]);
    for (const [args, why] of [
      [["--tls-cert", "x.pem"], /go together/],
      [["--tls-cert", "x.pem", "--tls-key", "x.pem"], /x\.pem can not be read/],
    ] as const) {
      const wrong = flock.command("up", "--port", "0", "--ephemeral", ...args);
      expect(await wrong.ended).toBe(1);
      expect(wrong.err).toEqual([expect.stringMatching(why)]);
    }
  });

  it.skipIf(!there)("a key that is not the certificate's is one line", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const [one, two] = [
      certificate(flock.folder, "one", "IP:127.0.0.1"),
      certificate(flock.folder, "two", "IP:127.0.0.1"),
    ];
    const wrong = flock.command(
      "up",
      "--port",
      "0",
      "--ephemeral",
      "--tls-cert",
      one.cert,
      "--tls-key",
      two.key,
    );
    expect(await wrong.ended).toBe(1);
    expect(wrong.err).toEqual([expect.stringMatching(/certificate and key can not be used/)]);
  });
});
