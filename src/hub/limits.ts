// The limits of a hub, with names and defaults. Past one of them the one who crossed it gets an error; nobody else notices.
export interface HubLimits {
  /** Bytes of one frame. */
  readonly frameBytes: number;
  /** Jobs a session may have that are not acknowledged, and the bytes of their payloads. */
  readonly jobsPerSession: number;
  readonly bytesPerSession: number;
  /** Solutions nobody claims are kept this long and up to this many bytes a session. */
  readonly unclaimedMs: number;
  readonly unclaimedBytes: number;
  /** A session without a name of its own is given up this long after its client went away. */
  readonly anonymousMs: number;
  /** A peer from which nothing came for this long is taken for unreachable. */
  readonly silentMs: number;
  /** Connections one address may have at a time, and how long one may take to say hello. */
  readonly connectionsPerAddress: number;
  readonly helloMs: number;
  /** Messages a second one connection may send, over a few seconds; past it, it is closed. */
  readonly messagesPerSecond: number;
  /** Streams one connection may receive, and send, at the same time; each takes up to 4 MiB of memory. */
  readonly streamsPerPeer: number;
  /** Payloads of this size and more lie in blobs, not in the journal and in memory. */
  readonly blobBytes: number;
  /** Graphs one session may have at a time. */
  readonly graphsPerSession: number;
  /** The graphs of a client that has gone are given up after this long, and their values with them. */
  readonly graphAwayMs: number;
}

export const DEFAULT_LIMITS: HubLimits = {
  frameBytes: 80 * 1024 * 1024,
  jobsPerSession: 2_000_000,
  bytesPerSession: 4 * 1024 ** 3,
  unclaimedMs: 24 * 3600_000,
  unclaimedBytes: 1024 ** 3,
  anonymousMs: 60_000,
  silentMs: 2_500,
  connectionsPerAddress: 1024,
  helloMs: 5_000,
  messagesPerSecond: 20_000,
  streamsPerPeer: 64,
  blobBytes: 256 * 1024,
  graphsPerSession: 256,
  graphAwayMs: 10_000,
};
