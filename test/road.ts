// A TCP road between a process and a hub, for broken networks: it can be cut and mended, and it sees what passes.
import { connect, createServer, type AddressInfo, type Socket } from "node:net";

export interface Road {
  /** Where to connect instead of to the hub. */
  readonly url: string;
  /** Called with what the hub sends, as it comes. */
  onFromHub: (bytes: Buffer) => void;
  /** Called when the near side has closed, before the hub is told. */
  onNearClosed: () => void;
  /** Breaks what passes and lets nothing new through. */
  cut(): void;
  /** Lets nothing through, and tells neither side: what is on its way is lost, and connections hang until they are mended. */
  stall(): void;
  mend(): void;
  close(): Promise<void>;
}

export async function openRoad(hub: string): Promise<Road> {
  const to = new URL(hub);
  const sockets = new Set<Socket>();
  let open = true;
  let stalled = false;
  const server = createServer({ noDelay: true }, (near) => {
    if (!open) {
      near.destroy();
      return;
    }
    sockets.add(near);
    if (stalled) {
      near.on("error", () => undefined).on("close", () => sockets.delete(near));
      return;
    }
    const far = connect({ host: to.hostname, port: Number(to.port), noDelay: true });
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => undefined); // a close follows
    }
    near.on("data", (bytes) => {
      if (!stalled) far.write(bytes);
    });
    far.on("data", (bytes) => {
      if (stalled) return;
      road.onFromHub(bytes);
      near.write(bytes);
    });
    near.on("close", () => {
      sockets.delete(near);
      if (stalled) return;
      if (!far.destroyed) road.onNearClosed();
      far.destroy();
    });
    far.on("close", () => {
      sockets.delete(far);
      if (!stalled) near.destroy();
    });
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const cut = () => {
    open = false;
    for (const socket of sockets) socket.destroy();
  };
  const road: Road = {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    onFromHub: () => undefined,
    onNearClosed: () => undefined,
    cut,
    stall: () => {
      stalled = true;
    },
    mend: () => {
      // A connection that has lost bytes is of no use to anybody.
      if (stalled) for (const socket of sockets) socket.destroy();
      stalled = false;
      open = true;
    },
    close: async () => {
      cut();
      await new Promise((closed) => server.close(closed));
    },
  };
  return road;
}
