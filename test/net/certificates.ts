// Certificates of a test's own, made by openssl: each its own authority.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/**
 * A self-signed certificate for names like "IP:127.0.0.1" or "DNS:hub.test", and its key: two files in `folder`. Of no more use
 * after `days`, which may be negative.
 */
export function certificate(
  folder: string,
  name: string,
  names: string,
  days = 2,
): { cert: string; key: string } {
  const [cert, key, request, extensions] = ["cert.pem", "key.pem", "request.pem", "extensions"].map((end) =>
    join(folder, `${name}.${end}`),
  ) as [string, string, string, string];
  const openssl = (...args: string[]): void => void execFileSync("openssl", args, { stdio: "pipe" });
  const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  openssl("req", "-new", ...kind, "-subj", `/CN=${name}`, "-keyout", key, "-out", request);
  writeFileSync(extensions, `subjectAltName=${names}\nbasicConstraints=critical,CA:TRUE\n`);
  const signed = ["-signkey", key, "-extfile", extensions, "-days", String(days)];
  openssl("x509", "-req", "-in", request, ...signed, "-out", cert);
  return { cert, key };
}
