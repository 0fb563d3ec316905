import { createServer } from "node:net";
const server = createServer({ noDelay: true }, (socket) =>
  socket.on("data", (bytes) => socket.write(bytes)).on("error", () => {}),
);
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
