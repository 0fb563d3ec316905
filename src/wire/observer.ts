// How a page that only watches proves its token over HTTP: as in a hello, over both sides' nonces, with words of its own, so
// that the proof is good for nothing else.
import { makeNonce, proofOf, sameProof, type Token } from "./token.js";

/** No hello can have these words: its roles are others. */
const WORDS = { role: "observe", kind: "status", id: "", session: "", instance: "", domain: "" };

/** What POST /api/ticket takes. */
export interface ObserverProof {
  /** The token's id. */
  readonly token: string;
  /** From GET /api/nonce. */
  readonly hubNonce: string;
  readonly nonce: string;
  readonly proof: string;
}

/** The proof for a nonce of the hub, and the proof that the hub must show in return. */
export function proveObserver(token: Token, hubNonce: string): { given: ObserverProof; expected: string } {
  const nonces = { hub: hubNonce, peer: makeNonce() };
  const proof = proofOf(token, "peer", nonces, WORDS);
  return {
    given: { token: token.id, hubNonce, nonce: nonces.peer, proof },
    expected: proofOf(token, "hub", nonces, WORDS),
  };
}

/** The hub's own proof; undefined when the page's is wrong. */
export function answerObserver({ hubNonce, nonce, proof }: ObserverProof, token: Token): string | undefined {
  const nonces = { hub: hubNonce, peer: nonce };
  return sameProof(proof, proofOf(token, "peer", nonces, WORDS))
    ? proofOf(token, "hub", nonces, WORDS)
    : undefined;
}
