// The limits of a hub, with names and defaults. Past one of them the one who crossed it gets an error; nobody else notices.
export interface HubLimits {
  /** Bytes of one frame; of all frames that have begun to come and are not complete, over all connections; and of a hello. */
  readonly frameBytes: number;
  readonly unfinishedBytes: number;
  readonly helloBytes: number;
  /** Jobs a session may have that are not acknowledged, and the bytes of their payloads and of results it has not taken. */
  readonly jobsPerSession: number;
  readonly bytesPerSession: number;
  /** Sessions an owner may have. Past it, one that is empty and away makes room. */
  readonly sessionsPerOwner: number;
  /** Bytes of answers that a node may have uploaded, or be uploading, before it names them. */
  readonly bytesPerNode: number;
  /** Solutions nobody claims are kept this long and up to this many bytes a session. */
  readonly unclaimedMs: number;
  readonly unclaimedBytes: number;
  /** A session without a name of its own is given up this long after its client went away. */
  readonly anonymousMs: number;
  /** A peer from which nothing came for this long is taken for unreachable. */
  readonly silentMs: number;
  /** WebSockets one address may have at a time, and how long one may take to say hello. Of sockets of any kind, twice as many. */
  readonly connectionsPerAddress: number;
  readonly helloMs: number;
  /** Messages a second one connection may send, over a few seconds; past it, it is closed. */
  readonly messagesPerSecond: number;
  /** The same for messages and frames that do not fit: each is answered and logged. */
  readonly badMessagesPerSecond: number;
  /** A connection that has more than this to read, and reads none of it for a while, is closed. */
  readonly unreadBytes: number;
  readonly unreadMs: number;
  /** Streams one connection may receive, and send, at the same time; each takes up to 4 MiB of memory. */
  readonly streamsPerPeer: number;
  /** Uploads of owners who have no connection, over all of them: kept for a minute, for they may come back. */
  readonly awayUploads: number;
  /** Payloads of this size and more lie in blobs, not in the journal and in memory. */
  readonly blobBytes: number;
  /**
   * Bytes of such payloads that are held in memory: while they come, and until they are over by a hub without a data directory.
   * Beyond, they lie in files only, and no node gets them before they are complete.
   */
  readonly heldBytes: number;
  /** Graphs one session may have at a time. */
  readonly graphsPerSession: number;
  /** The graphs of a client that has gone are given up after this long, and their values with them. */
  readonly graphAwayMs: number;
}

export const DEFAULT_LIMITS: HubLimits = {
  frameBytes: 16 * 1024 * 1024,
  unfinishedBytes: 256 * 1024 * 1024,
  helloBytes: 1024 * 1024,
  jobsPerSession: 2_000_000,
  bytesPerSession: 4 * 1024 ** 3,
  sessionsPerOwner: 10_000,
  bytesPerNode: 2 * 1024 ** 3,
  unclaimedMs: 24 * 3600_000,
  unclaimedBytes: 1024 ** 3,
  anonymousMs: 60_000,
  silentMs: 2_500,
  connectionsPerAddress: 1024,
  helloMs: 5_000,
  messagesPerSecond: 20_000,
  badMessagesPerSecond: 100,
  unreadBytes: 16 * 1024 * 1024,
  unreadMs: 60_000,
  streamsPerPeer: 64,
  awayUploads: 256,
  blobBytes: 256 * 1024,
  heldBytes: 96 * 1024 ** 2,
  graphsPerSession: 256,
  graphAwayMs: 10_000,
};
