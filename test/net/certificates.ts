// Certificates of a test's own, made by openssl: each its own authority.
import { execFileSync } from "node:child_process";
import { join } from "node:path";

export function hasOpenssl(): boolean {
  try {
    execFileSync("openssl", ["version"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

/** A self-signed certificate for names like "IP:127.0.0.1" or "DNS:hub.test", and its key: two files in `folder`. */
export function certificate(
  folder: string,
  name: string,
  names: string,
  days = 2,
): { cert: string; key: string } {
  const [cert, key] = [join(folder, `${name}.cert.pem`), join(folder, `${name}.key.pem`)];
  const kind = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const what = ["-subj", `/CN=${name}`, "-addext", `subjectAltName=${names}`, "-days", String(days)];
  execFileSync("openssl", ["req", ...kind, ...what, "-keyout", key, "-out", cert], { stdio: "pipe" });
  return { cert, key };
}
