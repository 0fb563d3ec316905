// echo: answers itself. relay: passes the client's messages to the node and back. node PORT: the far end of a relay.
import { WebSocket, WebSocketServer } from "ws";
const [role, port] = process.argv.slice(2);
if (role === "node") {
  const socket = new WebSocket(`ws://127.0.0.1:${port}/node`, { perMessageDeflate: false });
  socket.on("message", (bytes) => socket.send(bytes)).on("open", () => console.log("ready"));
} else {
  let client, node;
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false }, () =>
    console.log(server.address().port),
  );
  server.on("connection", (socket, request) => {
    if (role === "echo") socket.on("message", (bytes) => socket.send(bytes));
    else if (request.url === "/node") (node = socket).on("message", (bytes) => client.send(bytes));
    else (client = socket).on("message", (bytes) => node.send(bytes));
  });
}
