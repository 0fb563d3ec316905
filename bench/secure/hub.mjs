// A hub with tokens and TLS: `hub.mjs DIR CERT KEY`. Prints its links' addresses as JSON: {compute, main}.
import { readFileSync } from "node:fs";
import { startHub } from "../../dist/hub/index.js";
import { formatToken } from "../../dist/wire/index.js";
const [dataDir, cert, key] = process.argv.slice(2);
const tls = { cert: readFileSync(cert, "utf8"), key: readFileSync(key, "utf8") };
const hub = await startHub({ port: 0, log: { level: "warn" }, dataDir, tls, requireToken: true });
const link = (role) =>
  `${hub.url}/#token=${formatToken(hub.tokens.list().find((token) => token.role === role))}`;
console.log(JSON.stringify({ compute: link("compute"), main: link("main") }));
