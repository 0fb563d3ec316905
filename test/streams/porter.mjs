// A main node that sends so many bytes and takes as many back, holding little of either: `porter.mjs HUB BYTES`.
import { MainNode } from "../../dist/flock/index.node.js";

const print = (line) => process.stdout.write(`${line}\n`);
const [hub, count] = process.argv.slice(2);
const total = Number(count);
const piece = new Uint8Array(2 ** 18).fill(7);

async function* bytes() {
  for (let at = 0; at < total; at += piece.length)
    yield piece.subarray(0, Math.min(piece.length, total - at));
}

const main = await MainNode.join({ hub });
print(`sent ${(await main.request("digest", bytes())).json().size}`);
let back = 0;
for await (const chunk of (await main.request("give", count)).stream()) back += chunk.length;
print(`back ${back}`);
setInterval(() => undefined, 60_000); // until its memory has been looked at
