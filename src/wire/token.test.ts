import { readFileSync } from "node:fs";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { FlockworkError } from "../ids/index.js";
import { answerHello, checkWelcome, proveHello } from "./handshake.js";
import type { MessageOf } from "./messages.js";
import { formatToken, makeNonce, makeToken, parseToken, proofOf, sameProof } from "./token.js";

const hello: MessageOf<"hello"> = {
  t: "hello",
  version: 1,
  software: "test",
  role: "client",
  kind: "main",
  id: "main.0a.14.1e.28",
  session: "nightly",
  instance: "5f",
  domain: "166",
};
const challenge = (): MessageOf<"challenge"> => ({
  t: "challenge",
  version: 1,
  software: "test",
  nonce: makeNonce(),
});
const welcome = (proof?: string): MessageOf<"welcome"> => ({
  t: "welcome",
  version: 1,
  software: "test",
  hub: "h",
  nextSeq: 0,
  missed: 0,
  ...(proof !== undefined && { proof }),
});

describe("tokens", () => {
  it("keep id and secret through their text form", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (secret) => {
        const token = { id: "0123456789ab", secret };
        expect(parseToken(formatToken(token))).toEqual(token);
      }),
    );
  });

  it("are refused without their secret in the message", () => {
    const text = formatToken(makeToken()).slice(0, -1);
    const fault = (() => {
      try {
        parseToken(text);
      } catch (error) {
        return error as FlockworkError;
      }
      throw new Error("taken");
    })();
    expect(fault.code).toBe("bad_argument");
    expect(fault.message).toContain("58");
    expect(fault.message).not.toContain(text.slice(20));
  });

  it("match the vectors of docs/wire.md", () => {
    const page = readFileSync(new URL("../../docs/wire.md", import.meta.url), "utf8");
    const cell = (name: string) => new RegExp(`\\| ${name} \\| \`([^\`]+)\``).exec(page)?.[1];
    const token = parseToken(cell("token")!);
    const nonces = { hub: "00".repeat(16), peer: "ff".repeat(16) };
    expect(proofOf(token, "peer", nonces, hello)).toBe(cell("the peer's proof"));
    expect(proofOf(token, "hub", nonces, hello)).toBe(cell("the hub's proof"));
  });
});

describe("proofs", () => {
  it("show each side that the other knows the token", () => {
    const token = makeToken();
    const asked = challenge();
    const proven = proveHello(hello, asked, token);
    const answer = answerHello(proven.hello, asked.nonce, token);
    expect(() => checkWelcome(welcome(answer), proven.expected, "ws://hub")).not.toThrow();
    expect(answer).not.toBe(proven.hello.auth?.proof);
  });

  it("are worth nothing for another challenge, another token or an altered hello", () => {
    const token = makeToken();
    const asked = challenge();
    const { hello: proven } = proveHello(hello, asked, token);
    expect(answerHello(proven, challenge().nonce, token)).toBeUndefined();
    expect(answerHello(proven, asked.nonce, { ...makeToken(), id: token.id })).toBeUndefined();
    for (const word of ["role", "kind", "id", "session", "instance", "domain"] as const)
      expect(answerHello({ ...proven, [word]: "node" } as typeof proven, asked.nonce, token)).toBeUndefined();
    expect(answerHello(hello, asked.nonce, token)).toBeUndefined();
  });

  it("unmask a hub that does not know the token, also one that repeats our proof", () => {
    const { hello: proven, expected } = proveHello(hello, challenge(), makeToken());
    expect(() => checkWelcome(welcome(), expected, "ws://hub")).toThrow(/does not know the token/);
    expect(() => checkWelcome(welcome(proven.auth!.proof), expected, "ws://hub")).toThrow(/does not know/);
    expect(() => checkWelcome(welcome(), undefined, "ws://hub")).not.toThrow();
  });

  it("are compared whole", () => {
    expect(sameProof("ab", "ab")).toBe(true);
    expect(sameProof("ab", "ac")).toBe(false);
    expect(sameProof("ab", "abc")).toBe(false);
  });
});
