// The link of a client to its hub: what a caller may say of it, and what every client says of itself.
import { DEFAULT_DOMAIN, randomHex, type FlockworkError, type NodeId, type NodeKind } from "../ids/index.js";
import {
  Link,
  PROTOCOL_VERSION,
  type Dial,
  type MessageFrom,
  type MessageOf,
  type Token,
} from "../wire/index.js";

export interface ClientLinkOptions {
  /** Address of the hub, for instance ws://localhost:9999. */
  readonly hub: string;
  /** What the hub lets us in by, where it asks; it must show that it knows it too. */
  readonly token?: Token;
  /** Users of one hub in different domains never meet. Default "166". */
  readonly domain?: string | number;
  /** Called once an outage: no hub answers, the client goes on trying. */
  readonly onWaiting?: (error: FlockworkError) => void;
  readonly onUp?: () => void;
  readonly onDown?: (reason: string) => void;
  /** Something the hub wants the user to know, for instance that no node offers a service. */
  readonly onNotice?: (notice: { code: string; message: string }) => void;
}

/** What differs between runtimes. */
export interface ClientRuntime {
  readonly dial: Dial;
  readonly software: string;
}

export interface LinkOwner {
  readonly id: NodeId;
  readonly kind: NodeKind;
  readonly session: string;
  /** Whether somebody may come back for the session. */
  readonly durable: boolean;
  /** The first sequence number of this process; undefined before the first welcome. */
  since(): number | undefined;
  up(welcome: MessageOf<"welcome">): void;
  down(): void;
  receive(message: MessageFrom<"hub">): void;
  /** The hub does not want it, or is not who it should be. */
  fatal(error: FlockworkError): void;
}

export function clientLink(
  options: ClientLinkOptions,
  { dial, software }: ClientRuntime,
  owner: LinkOwner,
): Link<"client"> {
  const instance = randomHex(8);
  return new Link<"client">({
    url: options.hub,
    dial,
    token: options.token,
    hello: () => {
      const since = owner.since();
      return {
        t: "hello",
        version: PROTOCOL_VERSION,
        software,
        role: "client",
        kind: owner.kind,
        id: owner.id,
        session: owner.session,
        instance,
        domain: String(options.domain ?? DEFAULT_DOMAIN),
        durable: owner.durable,
        ...(since !== undefined && { since }),
      };
    },
    onUp: (welcome) => {
      owner.up(welcome);
      options.onUp?.();
    },
    onDown: (reason) => {
      owner.down();
      options.onDown?.(reason);
    },
    onMessage: (message) => owner.receive(message),
    onNotice: (notice) => options.onNotice?.(notice),
    onWaiting: (error) => options.onWaiting?.(error),
    onFatal: (error) => owner.fatal(error),
  });
}
