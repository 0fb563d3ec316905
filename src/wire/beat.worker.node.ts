// The heartbeat thread's program: a link that beats once a second and does nothing else. Started by beat.node.ts.
import { parentPort, workerData } from "node:worker_threads";
import type { BeatData } from "./beat.node.js";
import { Link } from "./link.js";
import { dialWith } from "./socket.node.js";

const { url, hello, token, ca } = workerData as BeatData;

// What goes wrong here goes wrong on the node's own link too, which tells.
const quiet = () => undefined;
const link = new Link<"beat">({
  url,
  dial: dialWith({ ca }),
  hello: () => hello,
  token,
  onUp: quiet,
  onDown: quiet,
  onMessage: quiet,
});
link.connect().catch(quiet);

parentPort?.once("message", () => void link.close());
