// Both sides' half of proving a token: what a peer adds to its hello and expects of the welcome, and what a hub checks.
import { FlockworkError } from "../ids/index.js";
import type { MessageOf } from "./messages.js";
import { makeNonce, proofOf, sameProof, type Token } from "./token.js";

type Hello = MessageOf<"hello">;

/** A hello with the proof for this challenge, and what the hub must show in return; both as they were without a token. */
export function proveHello(
  hello: Hello,
  challenge: MessageOf<"challenge">,
  token: Token | undefined,
): { readonly hello: Hello; readonly expected: string | undefined } {
  if (token === undefined) return { hello, expected: undefined };
  const nonces = { hub: challenge.nonce, peer: makeNonce() };
  const auth = { token: token.id, nonce: nonces.peer, proof: proofOf(token, "peer", nonces, hello) };
  return { hello: { ...hello, auth }, expected: proofOf(token, "hub", nonces, hello) };
}

/** Throws `unauthorized` when the hub did not prove that it knows the token too. */
export function checkWelcome(welcome: MessageOf<"welcome">, expected: string | undefined, url: string): void {
  if (expected === undefined || sameProof(expected, welcome.proof ?? "")) return;
  throw new FlockworkError(
    "unauthorized",
    `The hub at ${url} does not know the token, so it is not the one that gave it out. Check the address.`,
  );
}

/** The hub's proof for a hello whose token it knows; undefined when the peer's proof is wrong. */
export function answerHello(hello: Hello, hubNonce: string, token: Token): string | undefined {
  const { auth } = hello;
  if (auth === undefined) return undefined;
  const nonces = { hub: hubNonce, peer: auth.nonce };
  if (!sameProof(auth.proof, proofOf(token, "peer", nonces, hello))) return undefined;
  return proofOf(token, "hub", nonces, hello);
}
