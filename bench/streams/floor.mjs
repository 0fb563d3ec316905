// The floor of streams: a bare `ws` relay with messages of one chunk. relay; or sink PORT, which answers every BYTES it has had.
import { WebSocket, WebSocketServer } from "ws";

const [role, port, bytes] = process.argv.slice(2);
const options = { perMessageDeflate: false };
if (role === "sink") {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/sink`, options);
  let had = 0;
  socket.on("open", () => console.log("ready"));
  socket.on("message", (chunk) => {
    had += chunk.length;
    if (had % Number(bytes) === 0) socket.send("all");
  });
} else {
  let source, sink;
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", ...options }, () =>
    console.log(server.address().port),
  );
  server.on("connection", (socket, request) => {
    if (request.url === "/sink") (sink = socket).on("message", (answer) => source.send(answer));
    else (source = socket).on("message", (chunk) => sink.send(chunk));
  });
}
