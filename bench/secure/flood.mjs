// One client that sends as fast as it can, and comes back when it is closed: `flood.mjs HUB KIND`. Kinds: beats, submits,
// nonsense. Prints "ready".
import { WebSocket } from "ws";
import { encodeFrame } from "../../dist/wire/index.js";
const [hub, kind] = process.argv.slice(2);
const hello = {
  t: "hello",
  version: 1,
  software: "flood",
  role: "client",
  kind: "main",
  id: "flood.00.00.00.01",
};
const words = { session: "flood", instance: "1", domain: "flood" };
const column = { kinds: new Uint8Array(1), lengths: Uint32Array.of(100), data: new Uint8Array(104) };
const frames = {
  beats: () => encodeFrame(Array.from({ length: 100 }, () => ({ t: "beat" }))),
  submits: (seq) => encodeFrame([{ t: "submit", seq, service: "noop", ...column }]),
  nonsense: () => Buffer.alloc(200, 0x93),
};
let messages = 0;
function connect() {
  const socket = new WebSocket(hub, { perMessageDeflate: false });
  socket.on("open", () => {
    socket.send(encodeFrame([{ ...hello, ...words }]));
    const more = () => {
      if (socket.readyState !== WebSocket.OPEN) return;
      for (let i = 0; i < 20 && socket.bufferedAmount < 1e6; i++) {
        socket.send(frames[kind](messages));
        messages += kind === "beats" ? 100 : 1;
      }
      setImmediate(more);
    };
    more();
  });
  socket.on("message", () => {});
  socket.on("error", () => {});
  socket.on("close", () => setTimeout(connect, 100));
}
connect();
console.log("ready");
