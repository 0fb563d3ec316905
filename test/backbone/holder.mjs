// A child that holds a store: takes it, says so, and then does what it is told, a line at a time.
// usage: node holder.mjs <data directory> <locked|unlocked>

import { writeSync } from "node:fs";
import { createInterface } from "node:readline";
import { openSqlite, openStore } from "../../dist/backbone/sqlite.js";

const [directory, lock] = process.argv.slice(2);
const say = (line) => writeSync(1, `${line}\n`);

let store;
let epoch;
const told = {
  announce: () => store.announce("ws://127.0.0.1:9999"),
  claim: async () => (epoch = await store.journal.claim("p")),
  append: () => store.journal.append(epoch, [Buffer.from(`by ${process.pid}`)]),
  compact: () => store.journal.compact(epoch, Number.MAX_SAFE_INTEGER),
  close: () => store.close(),
};
try {
  store = lock === "locked" ? await openSqlite(directory) : await openStore(directory);
  say("open");
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      await told[line]();
      say(`${line} ok`);
    } catch (error) {
      say(`${line} ${error.code}`);
    }
  }
} catch (error) {
  say(`refused ${error.code} ${error.message}`);
}
