// A hub that is none: announces itself, welcomes anybody and proves nothing. Says "hello <id of the token> <proof>" for each.
// `false-hub.mjs ADDRESS CERT KEY`
import { readFileSync } from "node:fs";
import { createServer } from "node:https";
import { WebSocketServer } from "ws";
import { announceHub } from "../../dist/flock/index.node.js";
import { decodeFrame, encodeFrame } from "../../dist/wire/index.js";

const [address, cert, key] = process.argv.slice(2);
const http = createServer({ cert: readFileSync(cert), key: readFileSync(key) });
new WebSocketServer({ server: http }).on("connection", (socket) => {
  socket.send(encodeFrame([{ t: "challenge", version: 1, software: "false", nonce: "0".repeat(32) }]));
  socket.on("message", (bytes) => {
    for (const message of decodeFrame(bytes))
      if (message.t === "hello") {
        process.stdout.write(`hello ${JSON.stringify(message)}\n`);
        const welcome = { t: "welcome", version: 1, software: "false", hub: "x", nextSeq: 0, missed: 0 };
        socket.send(encodeFrame([{ ...welcome, proof: "0".repeat(64) }]));
      }
  });
});
http.listen(0, address, () => {
  announceHub("false-hub", http.address().port, true);
  process.stdout.write(`listens on ${http.address().port}\n`);
});
