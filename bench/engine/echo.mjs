// Sends back what comes, with calls that block.
import { readSync, writeSync } from "node:fs";

const buffer = new Uint8Array(1 << 20);
for (let got = readSync(3, buffer); got > 0; got = readSync(3, buffer))
  for (let at = 0; at < got;) at += writeSync(3, buffer, at, got - at);
