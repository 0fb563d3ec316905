// Tickets: given for a proof, once a nonce, to who may observe; good from one address until they are left lying or revoked.
import { describe, expect, it } from "vitest";
import { makeToken, proveObserver, sameProof } from "../wire/index.js";
import { Tickets } from "./tickets.js";
import { TokenStore } from "./tokens.js";

const HERE = "192.168.1.7";

function shop() {
  const tokens = new TokenStore(undefined);
  return { tokens, tickets: new Tickets(tokens), token: tokens.create("observe", "anna") };
}

describe("a ticket", () => {
  it("is given for a proof, with the hub's own, and good at its address only", () => {
    const { tickets, token } = shop();
    const { given, expected } = proveObserver(token, tickets.nonce(0));
    const { ticket, proof } = tickets.redeem(given, HERE, 1000);
    expect(sameProof(proof, expected)).toBe(true);
    expect(tickets.observer(ticket, HERE, 2000)).toBeDefined();
    expect(tickets.observer(ticket, "192.168.1.8", 2000)).toBeUndefined();
    expect(tickets.observer(`${ticket}0`, HERE, 2000)).toBeUndefined();
  });

  it("is not given twice for one nonce, nor for an old or a made-up one", () => {
    const { tickets, token } = shop();
    const { given } = proveObserver(token, tickets.nonce(0));
    tickets.redeem(given, HERE, 0);
    expect(() => tickets.redeem(given, HERE, 0)).toThrow(/not known here/);
    expect(() => tickets.redeem(proveObserver(token, tickets.nonce(0)).given, HERE, 30_001)).toThrow(
      /not known/,
    );
    expect(() => tickets.redeem(proveObserver(token, "00".repeat(16)).given, HERE, 0)).toThrow(/not known/);
  });

  it("is refused alike for a wrong secret and an unknown token, and in other words for another role", () => {
    const { tickets, tokens, token } = shop();
    const refusal = (of: { id: string; secret: Uint8Array }) => {
      try {
        tickets.redeem(proveObserver(of, tickets.nonce(0)).given, HERE, 0);
        return "given";
      } catch (error) {
        return (error as Error).message.replace(of.id, "ID");
      }
    };
    const wrong = { id: token.id, secret: makeToken().secret };
    expect(refusal(wrong)).toBe(refusal(makeToken()));
    expect(refusal(tokens.create("compute", "anna"))).toMatch(/role compute; watching takes/);
    expect(refusal(tokens.create("main", "anna"))).toBe("given");
  });

  it("ends a quarter of an hour after its last use, and with its token", () => {
    const { tickets, tokens, token } = shop();
    const take = () => tickets.redeem(proveObserver(token, tickets.nonce(0)).given, HERE, 0).ticket;
    const minutes = (n: number) => n * 60_000;
    const [used, left] = [take(), take()];
    expect(tickets.observer(used, HERE, minutes(14))).toBeDefined();
    expect(tickets.observer(used, HERE, minutes(28))).toBeDefined();
    expect(tickets.observer(left, HERE, minutes(28))).toBeUndefined();
    tokens.revoke(token.id);
    expect(tickets.observer(used, HERE, minutes(28))).toBeUndefined();
  });

  it("costs a flood of askers no more than its place", () => {
    const { tickets, token } = shop();
    const first = tickets.nonce(0);
    for (let i = 0; i < 5000; i++) tickets.nonce(0);
    expect(() => tickets.redeem(proveObserver(token, first).given, HERE, 0)).toThrow(/not known/);
    expect(tickets.redeem(proveObserver(token, tickets.nonce(0)).given, HERE, 0).ticket).toMatch(
      /^[0-9a-f]{48}$/,
    );
  });
});
