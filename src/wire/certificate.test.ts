// What is wrong with a certificate, in words with the remedy, told apart from a hub that does not answer.
import { expect, it } from "vitest";
import { certificateFault } from "./certificate.js";

const fault = (code: unknown, message = "why") =>
  certificateFault("wss://hub:1", Object.assign(new Error(message), { code }));

it.each([
  ["ERR_TLS_CERT_ALTNAME_INVALID", /Use an address that it names/],
  ["CERT_HAS_EXPIRED", /Give the hub a new one, or set the clock right$/],
  ["CERT_NOT_YET_VALID", /Give the hub a new one, or set the clock right$/],
  ["DEPTH_ZERO_SELF_SIGNED_CERT", /give it with --ca$/],
  ["SELF_SIGNED_CERT_IN_CHAIN", /give it with --ca$/],
  ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", /give it with --ca$/],
  ["UNABLE_TO_GET_ISSUER_CERT_LOCALLY", /give it with --ca$/],
])("%s has its remedy", (code, remedy) => {
  expect(fault(code)).toMatch(/^The certificate of wss:\/\/hub:1 is not accepted \(why\)\. /);
  expect(fault(code)).toMatch(remedy);
});

it("is not seen in errors of another kind", () => {
  for (const code of ["ECONNREFUSED", "ETIMEDOUT", "ENOTFOUND", undefined, 5])
    expect(fault(code)).toBeUndefined();
});
