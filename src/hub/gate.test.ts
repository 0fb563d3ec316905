// Who may enter: proofs, roles and domains of a hello, Host and Origin of a request.
import { IncomingMessage } from "node:http";
import { Socket } from "node:net";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  formatToken,
  makeNonce,
  makeToken,
  PROTOCOL_VERSION,
  proveHello,
  type MessageOf,
  type Token,
} from "../wire/index.js";
import { Gate, isLoopback, type GateOptions } from "./gate.js";
import { TokenStore } from "./tokens.js";

type Hello = MessageOf<"hello">;

const HELLO: Hello = {
  t: "hello",
  version: PROTOCOL_VERSION,
  software: "test",
  role: "client",
  kind: "main",
  id: "main.00.00.00.01",
  session: "nightly",
  instance: "1",
  domain: "166",
};

function gateWith(more: Partial<GateOptions> = {}) {
  const tokens = new TokenStore(undefined);
  const gate = new Gate({ tokens, required: true, encrypted: false, hosts: [], origins: [], ...more });
  return { tokens, gate };
}

function proven(nonce: string, token: Parameters<typeof proveHello>[2], hello = HELLO): Hello {
  return proveHello(hello, { t: "challenge", version: PROTOCOL_VERSION, software: "test", nonce }, token)
    .hello;
}

describe("a hello", () => {
  it("with a token that is known comes in under its owner, and the hub proves itself", () => {
    const { gate, tokens } = gateWith();
    const token = tokens.create("main", "anna");
    const nonce = makeNonce();
    const admitted = gate.admit(proven(nonce, token), nonce);
    expect(admitted.bearer).toEqual({ owner: "anna", token: token.id });
    expect(admitted.proof).toMatch(/^[0-9a-f]{64}$/);
  });

  it("without a token comes in only where none is asked for", () => {
    expect(gateWith({ required: false }).gate.admit(HELLO, makeNonce())).toEqual({
      bearer: { owner: "local" },
    });
    expect(() => gateWith().gate.admit(HELLO, makeNonce())).toThrow(/asks for a token/);
  });

  it("is told the same for a wrong secret, an unknown token and a revoked one", () => {
    const { gate, tokens } = gateWith();
    const token = tokens.create("main", "anna");
    const gone = tokens.create("main", "anna");
    expect(tokens.revoke(gone.id)).toBe(true);
    const nonce = makeNonce();
    for (const bad of [makeToken(), gone, { id: token.id, secret: makeToken().secret }])
      expect(() => gate.admit(proven(nonce, bad), nonce)).toThrow(
        `Token ${bad.id} is not known here, or was revoked; ask for a new one.`,
      );
  });

  it("is good for one challenge, and for the words it was made for", () => {
    const { gate, tokens } = gateWith();
    const token = tokens.create("main", "anna");
    const nonce = makeNonce();
    const hello = proven(nonce, token);
    expect(() => gate.admit(hello, makeNonce())).toThrow(/is not known here/);
    for (const changed of [
      { domain: "11" },
      { role: "node" },
      { kind: "computing" },
      { session: "other" },
      { id: "other.00.00.00.01" },
      { instance: "2" },
    ] as const)
      expect(() => gate.admit({ ...hello, ...changed }, nonce)).toThrow(/is not known here/);
  });

  it("is held to the token's role and domain", () => {
    const { gate, tokens } = gateWith();
    const nonce = makeNonce();
    const roles = { client: "main", node: "compute", beat: "compute" } as const;
    for (const role of ["client", "node", "beat"] as const)
      for (const held of ["main", "compute", "observe"] as const) {
        const attempt = () => gate.admit(proven(nonce, tokens.create(held, "a"), { ...HELLO, role }), nonce);
        if (roles[role] === held) expect(attempt().bearer.owner).toBe("a");
        else expect(attempt).toThrow(new RegExp(`has the role ${held}; .* needs one with the role`));
      }
    const bound = tokens.create("main", "a", "11");
    expect(() => gate.admit(proven(nonce, bound), nonce)).toThrow(/is for domain 11, not 166/);
    expect(gate.admit(proven(nonce, bound, { ...HELLO, domain: "11" }), nonce).bearer.owner).toBe("a");
  });
});

describe("a request", () => {
  const request = (headers: IncomingMessage["headers"]) => {
    const message = new IncomingMessage(new Socket());
    message.headers = headers;
    return message;
  };

  it("must name the hub by an address, localhost, or a name that was given to it", () => {
    const { gate } = gateWith({ hosts: ["hub.example.org"] });
    for (const host of [
      "localhost",
      "localhost:9999",
      "127.0.0.1:9999",
      "[::1]:9999",
      "192.168.1.5",
      "hub.example.org:9999",
    ])
      expect(gate.refuses(request({ host })), host).toBeUndefined();
    for (const host of [
      "evil.example",
      "evil.example:9999",
      "localhost.evil.example",
      "127.0.0.1.evil.example",
      "hub.example.org.evil.example",
      "",
      "::",
      "a b",
    ])
      expect(gate.refuses(request({ host })), host).toMatch(/is not called/);
    expect(gate.refuses(request({}))).toMatch(/is not called/);
  });

  it("may come from the hub's own pages, from programs, and from origins that were allowed", () => {
    const { gate } = gateWith({ origins: ["https://pages.example.org"] });
    const host = "127.0.0.1:9999";
    for (const origin of [undefined, "http://127.0.0.1:9999", "https://pages.example.org"])
      expect(gate.refuses(request({ host, ...(origin && { origin }) })), origin).toBeUndefined();
    for (const origin of [
      "http://127.0.0.1:8080",
      "http://localhost:9999",
      "https://evil.example",
      "null",
      "",
      "https://pages.example.org.evil.example",
      "http://pages.example.org",
    ])
      expect(gate.refuses(request({ host, origin })), origin).toMatch(/may not use this hub/);
  });

  it("never comes in under a name of somebody else's", () => {
    const { gate } = gateWith();
    fc.assert(
      fc.property(fc.domain(), fc.nat(65_535), (name, port) => {
        expect(gate.refuses(request({ host: `${name}:${port}` }))).toBeDefined();
        expect(
          gate.refuses(request({ host: "127.0.0.1:9999", origin: `http://${name}:${port}` })),
        ).toBeDefined();
      }),
    );
  });

  it("does not give a token away by taking it over a plain connection", () => {
    const { gate, tokens } = gateWith();
    const authorization = `Bearer ${formatToken(tokens.create("observe", "a"))}`;
    expect(gate.observer(request({ authorization }))).toBeUndefined();
    expect(gate.observer(request({}))).toBeUndefined();
    expect(gateWith({ required: false }).gate.observer(request({}))).toEqual({});
  });

  it("sees what its token's role, domain and owner let it", () => {
    const { gate, tokens } = gateWith({ encrypted: true });
    const observer = (token: Token) =>
      gate.observer(request({ authorization: `Bearer ${formatToken(token)}` }));
    expect(observer(tokens.create("observe", "anna"))).toEqual({});
    expect(observer(tokens.create("observe", "anna", "11"))).toEqual({ domain: "11" });
    expect(observer(tokens.create("main", "anna"))).toEqual({ owner: "anna" });
    expect(observer(tokens.create("main", "anna", "11"))).toEqual({ owner: "anna", domain: "11" });
    expect(observer(tokens.create("compute", "anna"))).toBeUndefined();
    expect(observer(makeToken())).toBeUndefined();
  });
});

it("this machine's own addresses are told from names that look like them", () => {
  for (const own of ["localhost", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
    expect(isLoopback(own)).toBe(true);
  for (const other of [
    "127.example.org",
    "127.0.0.1.example.org",
    "0.0.0.0",
    "::",
    "192.168.1.5",
    "",
    undefined,
  ])
    expect(isLoopback(other)).toBe(false);
});
