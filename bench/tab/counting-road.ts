// A road to a hub that counts the bytes of HTTP answers, by path, as they pass; WebSockets pass uncounted.
import { createServer, request as ask } from "node:http";
import { connect, type AddressInfo } from "node:net";

export interface CountingRoad {
  readonly port: number;
  /** Bytes of bodies and heads so far, by path. */
  readonly bytes: Map<string, number>;
  close(): void;
}

export async function countingRoad(hub: URL): Promise<CountingRoad> {
  const bytes = new Map<string, number>();
  const { hostname, port } = hub;
  const server = createServer((request, response) => {
    const path = request.url!;
    const add = (count: number) => bytes.set(path, (bytes.get(path) ?? 0) + count);
    const passed = ask(
      { hostname, port, path, method: request.method, headers: request.headers },
      (answer) => {
        response.writeHead(answer.statusCode!, answer.rawHeaders);
        add(answer.rawHeaders.join("").length + 4 * answer.rawHeaders.length);
        answer.on("data", (part: Buffer) => add(part.length));
        answer.pipe(response);
      },
    );
    passed.on("error", () => response.destroy());
    request.pipe(passed);
  });
  server.on("upgrade", (request, socket, head) => {
    const onward = connect(Number(port), hostname, () => {
      const heads = request.rawHeaders
        .flatMap((name, i, all) => (i % 2 === 0 ? [`${name}: ${all[i + 1]}`] : []))
        .join("\r\n");
      onward.write(`GET ${request.url} HTTP/1.1\r\n${heads}\r\n\r\n`);
      onward.write(head);
      onward.pipe(socket).pipe(onward);
    });
    for (const end of [socket, onward]) end.on("error", () => (socket.destroy(), onward.destroy()));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    bytes,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}
