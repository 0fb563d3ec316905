// Who gets in and who does not, at a hub that asks for tokens: proofs, roles, revocation, foreign pages and names.
import { connect } from "node:net";
import { statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { makeToken, parseToken } from "../../dist/wire/index.js";
import { Flock, until, type HubProcess } from "../flock.js";
import { fetchRaw, guarded, Raw, UPGRADE } from "./raw.js";

/** The status of a request with these headers. */
const ask = async (hub: HubProcess, path: string, headers: Record<string, string>) =>
  (await fetchRaw(hub.port, path, headers)).status;

describe.concurrent("a hub that asks for tokens", () => {
  it("keeps them for its owner only, and solves jobs of those who have one", async ({ onTestFinished }) => {
    const { flock, hub, file, tokens } = await guarded(onTestFinished);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const args = ["--hub", hub.url, "--token", tokens.compute, "--delay", "0", "1"];
    const node = flock.command("computing-node", ...args);
    const link = `${hub.url.replace("ws", "http")}/#token=${tokens.main}`;
    const main = flock.command("main-node", "--hub", link, "job");
    await main.said(/=> <JOB>/);
    expect([await main.ended, await node.ended]).toEqual([0, 0]);
    // Neither log nor output of the others repeats a secret.
    const said = [...main.out, ...main.err, ...node.out, ...node.err, ...hub.program.err].join("\n");
    for (const token of Object.values(tokens)) expect(said).not.toContain(token.slice(16));
  });

  it("refuses whoever has none, a wrong one, or one of another role, in one line", async ({
    onTestFinished,
  }) => {
    const { flock, hub, tokens } = await guarded(onTestFinished);
    const wrong = `${tokens.main.slice(0, 16)}${"A".repeat(43)}`;
    for (const [why, ...args] of [
      [/asks for a token/],
      [/is not known here/, "--token", wrong],
      [/role compute; .* role main/, "--token", tokens.compute],
      [/A token looks like/, "--token", "fw_nonsense"],
    ] as const) {
      const main = flock.command("main-node", "--hub", hub.url, ...args, "job");
      expect(await main.ended).toBe(1);
      expect(main.err).toHaveLength(1);
      expect(main.err[0]).toMatch(why);
    }
    const stranger = new Raw(flock, hub.url);
    const { id, secret } = makeToken();
    const hello = await stranger.prove(tokens.main);
    stranger.say({
      ...hello,
      auth: { ...hello.auth!, token: id, proof: Buffer.from(secret).toString("hex") },
    });
    expect(await stranger.refused()).toMatch(/not known here/);
  });

  it("takes a hello once, and on its own connection", async ({ onTestFinished }) => {
    const { flock, hub, tokens } = await guarded(onTestFinished);
    const first = new Raw(flock, hub.url);
    const hello = await first.prove(tokens.main);
    first.say(hello);
    expect((await first.hears("welcome")).proof).toMatch(/^[0-9a-f]{64}$/);
    const second = new Raw(flock, hub.url);
    await second.hears("challenge");
    // What follows a refused hello is not looked at, though it would be good.
    second.say(hello, await second.prove(tokens.main, { session: "other" }));
    expect(await second.refused()).toMatch(/not known here/);
    const joined = hub.program.err.filter((line) => line.includes("client joined"));
    expect(joined.map((line) => (JSON.parse(line) as { session: string }).session)).toEqual(["raw"]);
  });

  it("cuts off whoever has a revoked token, answer or not", async ({ onTestFinished }) => {
    const { flock, hub, file, tokens } = await guarded(onTestFinished);
    const raw = new Raw(flock, hub.url);
    raw.say(await raw.prove(tokens.main));
    await raw.hears("welcome");
    const kept = flock.command("computing-node", "--hub", hub.url, "--token", tokens.compute, "--delay", "0");
    await kept.said(/ready/);
    // It does not answer the close: the hub must not wait for it.
    raw.socket.pause();
    const data = ["--data", join(flock.folder, "data")];
    expect(await flock.command("token", "revoke", parseToken(tokens.main).id, ...data).ended).toBe(0);
    await hub.logged(/client left/);
    raw.socket.resume();
    await raw.ended();
    expect(raw.heard.at(-1)).toMatchObject({ t: "notice", code: "unauthorized", fatal: true });
    const made = flock.command("token", "create", "--role", "main", ...data);
    expect(await made.ended).toBe(0);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    const token = made.out[0]!;
    await until(
      "the new token's jobs",
      () => flock.command("main-node", "--hub", hub.url, "--token", token, "job").ended,
      (code) => code === 0,
    );
    const list = flock.command("token", "list", ...data);
    await list.ended;
    expect(list.out.join("\n")).toContain(parseToken(token).id);
    expect(list.out.join("\n")).not.toContain(token.slice(16));
    // A file that is broken while the hub runs changes nothing.
    writeFileSync(file, "{ broken");
    await hub.logged(/is not a list of tokens/);
    expect(await ask(hub, "/healthz", {})).toBe(200);
  });

  it("shows its state to those who may observe", async ({ onTestFinished }) => {
    const { flock, hub, tokens } = await guarded(onTestFinished);
    for (const [token, status] of [
      [tokens.observe, 200],
      [tokens.main, 200],
      [tokens.compute, 401],
      [`${tokens.observe.slice(0, 16)}${"A".repeat(43)}`, 401],
    ] as const)
      expect(await ask(hub, "/api/jobs", { authorization: `Bearer ${token}` })).toBe(status);
    for (const path of ["/api/jobs", "/api/nodes", "/metrics"]) expect(await ask(hub, path, {})).toBe(401);
    expect(await ask(hub, "/healthz", {})).toBe(200);
    const status = flock.command("status", "--hub", hub.url, "--token", tokens.observe);
    await status.said(/waiting/);
    const refused = flock.command("status", "--hub", hub.url);
    expect(await refused.ended).toBe(1);
    expect(refused.err).toEqual([expect.stringMatching(/asks for a token/)]);
  });
});

describe.concurrent("any hub, also one without tokens", () => {
  it("is not to be had under a foreign name, nor by a foreign page", async ({ onTestFinished }) => {
    const hub = await new Flock(onTestFinished).hub();
    const own = `127.0.0.1:${hub.port}`;
    for (const headers of [
      { host: `evil.example:${hub.port}` },
      { host: own, origin: "https://evil.example" },
      { host: own, origin: "http://127.0.0.1:1" },
      { host: own, origin: "null" },
    ] as Record<string, string>[]) {
      expect(await ask(hub, "/api/jobs", headers)).toBe(403);
      expect(await ask(hub, "/healthz", headers)).toBe(403);
      expect(await ask(hub, "/", { ...headers, ...UPGRADE })).toBe(403);
    }
    expect(await ask(hub, "/api/jobs", { host: own, origin: `http://${own}` })).toBe(200);
    expect(await ask(hub, "/", { host: own, origin: `http://${own}`, ...UPGRADE })).toBe(101);
  });

  it("lives on when refused connections are reset", async ({ onTestFinished }) => {
    const hub = await new Flock(onTestFinished).hub();
    const lines = [
      "GET / HTTP/1.1",
      "Host: evil.example",
      "Connection: Upgrade",
      "Upgrade: websocket",
      "",
      "",
    ];
    await Promise.all(
      Array.from(
        { length: 200 },
        () =>
          new Promise<void>((done) => {
            const socket = connect(hub.port, "127.0.0.1", () =>
              socket.write(lines.join("\r\n"), () => socket.resetAndDestroy()),
            );
            socket.on("error", () => undefined).on("close", () => done());
          }),
      ),
    );
    expect(await ask(hub, "/healthz", {})).toBe(200);
  });
});
