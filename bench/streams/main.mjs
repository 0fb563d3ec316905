// A main node that sends 1 GiB and takes 1 GiB back, without ever holding much of either: `main.mjs HUB BYTES`.
import { MainNode } from "../../dist/flock/index.node.js";

const [hub, count] = process.argv.slice(2);
const total = Number(count);
const piece = new Uint8Array(256 * 1024).fill(7);

async function* bytes() {
  for (let at = 0; at < total; at += piece.length)
    yield piece.subarray(0, Math.min(piece.length, total - at));
}

const main = await MainNode.join({ hub });
const sent = performance.now();
const arrived = Number((await main.request("read", bytes())).text());
const there = performance.now();
let back = 0;
for await (const chunk of (await main.request("give", count)).stream()) back += chunk.length;
const done = performance.now();
console.log(JSON.stringify({ arrived, back, upMs: there - sent, backMs: done - there }));
setInterval(() => undefined, 60_000); // until its memory has been looked at
