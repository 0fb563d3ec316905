// Why a hub's certificate is not accepted, told apart from a hub that can not be reached, since the remedy is another one.

/** Codes of OpenSSL and of Node, and what to do about each; the first that fits. */
const REMEDIES: readonly (readonly [code: RegExp, remedy: string])[] = [
  [/ALTNAME/, "Use an address that it names, or give the hub a certificate for this one"],
  [/EXPIRED|NOT_YET_VALID/, "Give the hub a new one, or set the clock right"],
  [/CERT|SELF_SIGNED|SIGNATURE|UNABLE_TO_(GET|VERIFY)/, "If it is the hub's own, give it with --ca"],
];

/** What is wrong and what to do, in two sentences without the last stop; undefined when the error is not about a certificate. */
export function certificateFault(url: string, error: unknown): string | undefined {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  const remedy = typeof code === "string" ? REMEDIES.find(([codes]) => codes.test(code))?.[1] : undefined;
  return remedy && `The certificate of ${url} is not accepted (${String(message)}). ${remedy}`;
}
