// A child of the kill tests: writes numbered groups, keys and blobs, and says each answer the moment it has it.
// usage: node writer.mjs <data directory> <process|power> <script|forever>

import { createHash } from "node:crypto";
import { writeSync } from "node:fs";
import { openSqlite } from "../../dist/backbone/index.js";

const [directory, durable, mode] = process.argv.slice(2);
const say = (line) => writeSync(1, `${line}\n`);
const outcome = (what, promise) =>
  promise.then(
    () => say(`ok ${what}`),
    (error) => say(`failed ${what} ${error.code}`),
  );

let store;
for (let tries = 1; !store; tries++) {
  try {
    store = await openSqlite(directory, { durable });
  } catch (error) {
    say(`failed open ${error.code}`);
    if (tries === 200) throw error;
  }
}
let epoch;
while (!epoch) {
  epoch = await store.journal.claim("p").catch((error) => void say(`failed claim ${error.code}`));
}
say("ok claim");

/** Group g has 1 to 3 records, `g/index/count` and some padding. */
function append(g) {
  const count = 1 + (g % 3);
  const records = Array.from({ length: count }, (_, i) =>
    Buffer.from(`${g}/${i}/${count} `.padEnd(20 + ((g * 977) % 9000), "x")),
  );
  return outcome(`group ${g}`, store.journal.append(epoch, records));
}

function put(b) {
  const data = Buffer.alloc(1000 + b * 300_000, `blob ${b} `);
  return outcome(`blob ${createHash("sha256").update(data).digest("hex")}`, store.blobs.put(data));
}

if (mode === "forever") {
  for (let g = 0; ; g += 5) {
    await Promise.all([append(g), append(g + 1), append(g + 2), append(g + 3), append(g + 4)]);
    await outcome(`key k${g % 7} ${g}`, store.kv.put(`k${g % 7}`, Buffer.from(`${g}`)));
    if (g % 50 === 0) await put(g % 4);
  }
}

await Promise.all([append(0), append(1), append(2)]);
await append(3);
await outcome("key k 1", store.kv.put("k", Buffer.from("1")));
await put(0);
await Promise.all([append(4), append(5)]);
const live = await store.journal.append(epoch, [Buffer.from("6/0/1 ")]).then(
  (lsn) => (say("ok group 6"), lsn),
  (error) => void say(`failed group 6 ${error.code}`),
);
if (live !== undefined) await outcome("compact 6", store.journal.compact(epoch, live));
await put(1);
await outcome("key k 2", store.kv.put("k", Buffer.from("2")));
await append(7);
// What failed above must not have broken anything: in the end there is room again, and all is well.
for (let tries = 0; tries < 200; tries++) {
  const last = await store.journal
    .append(epoch, [Buffer.from("8/0/1 ")])
    .catch((error) => void say(`failed retry ${error.code}`));
  if (last === undefined) continue;
  say("ok group 8");
  break;
}
await store.close();
say("ok close");
