// The messages of the protocol: one row each in MESSAGES, from which types, validation and the list of who may send what
// derive. docs/wire.md describes them for people who write a client in another language.
import * as v from "valibot";
import { FlockworkError, NODE_KINDS } from "../ids/index.js";
import { columnsFault } from "./columns.js";
import { attempts, count, f32, f64, name, payloads, runs, streamId, text, u16, u8 } from "./fields.js";
import { engineFields, GRAPH_MESSAGES, heldValues, valuesToFetch } from "./graph-messages.js";

/** Both sides name it in their first message; another number is refused with `version_mismatch`. */
export const PROTOCOL_VERSION = 1;

/** Most payloads of one message that travel as streams. */
const MAX_STREAMS = 65_536;

/** Who speaks. A `beat` connection does nothing but show that its node's process lives. */
export type Role = "client" | "node" | "beat" | "hub";

const labels = v.pipe(v.array(name), v.maxLength(64));
/** Payloads that were uploaded before, as [index, stream]: their length in the columns is 0. */
const uploaded = v.optional(v.pipe(v.array(v.tuple([count, streamId])), v.maxLength(MAX_STREAMS)));
/** Payloads that are to be fetched, as [index, bytes]: their length in the columns is 0. */
const fetchable = v.optional(v.pipe(v.array(v.tuple([count, count])), v.maxLength(MAX_STREAMS)));

/** What all jobs of one `submit` share. */
const jobOptions = {
  service: name,
  priority: v.optional(v.pipe(v.number(), v.safeInteger())),
  attempts: v.optional(v.pipe(v.number(), v.safeInteger(), v.minValue(1), v.maxValue(1000))),
  /** -1: the hub goes by the durations it has seen. */
  attemptTimeoutMs: v.optional(
    v.pipe(
      v.number(),
      v.finite(),
      v.check((ms) => ms === -1 || ms >= 1, "is neither -1 nor 1 or more"),
    ),
  ),
  deadlineMs: v.optional(v.pipe(v.number(), v.finite(), v.minValue(1))),
  /** Fail as soon as the deadline can not be met any more. */
  failEarly: v.optional(v.boolean()),
  /** A second copy may run while the first does. */
  idempotent: v.optional(v.boolean()),
  /** What a node must have besides the service. */
  needs: v.optional(
    v.object({
      memoryMb: v.optional(count),
      provider: v.optional(name),
      labels: v.optional(labels),
    }),
  ),
};

/** 16 bytes and 32 bytes in hexadecimal. */
const nonce = v.pipe(v.string(), v.regex(/^[0-9a-f]{32}$/, "is no nonce"));
const proof = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "is no proof"));

export const MESSAGES = {
  /** What the hub says first: a number used once, which the hello's proof must cover. */
  challenge: {
    from: ["hub"],
    schema: v.object({ t: v.literal("challenge"), version: count, software: text(64), nonce }),
  },
  // The first message of every connection, and the hub's answer.
  hello: {
    from: ["client", "node", "beat"],
    schema: v.object({
      t: v.literal("hello"),
      version: count,
      software: text(64),
      role: v.picklist(["client", "node", "beat"]),
      kind: v.picklist(NODE_KINDS),
      /** NodeId of a node or client, `name.hh.hh.hh.hh`. */
      id: text(256),
      /** Client: the session's name. Node and beat: the node's id. */
      session: v.pipe(v.string(), v.minLength(1), v.maxLength(256)),
      /** New at every start of the process: a reconnect keeps it, a restart does not. */
      instance: text(64),
      domain: v.pipe(v.string(), v.minLength(1), v.maxLength(64)),
      /** Who it is, where the hub asks: the token's id, a number used once, and the proof of the secret. */
      auth: v.optional(v.object({ token: text(64), nonce, proof })),
      /** Client: whether the session outlives it (it has a name that somebody chose). */
      durable: v.optional(v.boolean()),
      /** Client: the first sequence number of this process, once it knows it. */
      since: v.optional(count),
      node: v.optional(
        v.object({
          slots: v.pipe(count, v.maxValue(1024)),
          window: v.pipe(count, v.maxValue(65_536)),
          services: v.pipe(v.array(name), v.maxLength(1024)),
          idempotent: v.pipe(v.array(name), v.maxLength(1024)),
          /** What jobs may ask of a node: memory in MiB, execution providers, words of the operator's choice. */
          memoryMb: v.optional(count),
          providers: v.optional(labels),
          labels: v.optional(labels),
          /** Who it says it belongs to, where no token says so. */
          owner: v.optional(text(64)),
          /** What it computes programs with; absent: it computes none. */
          engine: v.optional(engineFields),
          values: v.optional(heldValues),
          /** Attempts it runs or holds, from before the link broke. Unstored answers follow as `solved` and `failed`. */
          ...attempts,
        }),
      ),
    }),
  },
  welcome: {
    from: ["hub"],
    schema: v.object({
      t: v.literal("welcome"),
      version: count,
      software: text(64),
      hub: text(256),
      /** New at every start of the hub: graphs, which are not journaled, are sent again to another. */
      boot: v.optional(text(64)),
      /** The hub's own proof, to a peer that gave one. */
      proof: v.optional(proof),
      /** Client: sequence numbers below this one are taken. */
      nextSeq: count,
      /** Client: jobs of an earlier process of this session that are not acknowledged yet. */
      missed: count,
    }),
  },
  /** Something the other side should know. With `fatal`, the connection closes after it. */
  notice: {
    from: ["hub"],
    schema: v.object({ t: v.literal("notice"), code: text(64), message: text(4096), fatal: v.boolean() }),
  },
  beat: { from: ["client", "node", "beat", "hub"], schema: v.object({ t: v.literal("beat") }) },
  /** The sender leaves on purpose and does not come back. */
  goodbye: { from: ["client", "node"], schema: v.object({ t: v.literal("goodbye") }) },

  // Client and hub.
  /** Jobs `seq`, `seq + 1`, ... with shared options. `inputs`: jobs of this session whose solutions are appended to each job's payloads. */
  submit: {
    from: ["client"],
    schema: v.object({
      t: v.literal("submit"),
      seq: count,
      ...jobOptions,
      inputs: v.optional(v.pipe(v.array(count), v.maxLength(64))),
      ...payloads,
      streams: uploaded,
    }),
  },
  /** These jobs survive the death of any process from now on. */
  accepted: { from: ["hub"], schema: v.object({ t: v.literal("accepted"), ...runs }) },
  refused: {
    from: ["hub"],
    schema: v.object({ t: v.literal("refused"), ...runs, code: text(64), message: text(4096) }),
  },
  cancel: { from: ["client"], schema: v.object({ t: v.literal("cancel"), ...runs }) },
  /** Solutions by one node, in columns. */
  solutions: {
    from: ["hub"],
    schema: v.object({
      t: v.literal("solutions"),
      seqs: f64,
      node: text(256),
      ...payloads,
      streams: fetchable,
    }),
  },
  /** One job that has no solution. `reasons`: [node, code, message] of each failed attempt. */
  unsolved: {
    from: ["hub"],
    schema: v.object({
      t: v.literal("unsolved"),
      seq: count,
      code: text(64),
      message: text(65_536),
      reasons: v.pipe(v.array(v.tuple([text(256), text(64), text(65_536)])), v.maxLength(1000)),
    }),
  },
  /** The client has these results and does not want them again. */
  ack: { from: ["client"], schema: v.object({ t: v.literal("ack"), ...runs }) },
  /** Send what an earlier process of this session left unacknowledged. */
  resume: { from: ["client"], schema: v.object({ t: v.literal("resume") }) },

  // Hub and node.
  /**
   * Tasks of one service, in the order they are to start. Task i is job `seqs[i]` of the main node `clients[from[i]]`; without
   * `from` all are of the first. `inputs[i]`: how many of the payloads belong to task i (first its job, then its inputs).
   */
  run: {
    from: ["hub"],
    schema: v.object({
      t: v.literal("run"),
      service: name,
      attemptTimeoutMs: count,
      ...attempts,
      clients: v.pipe(v.array(text(256)), v.minLength(1), v.maxLength(65_536)),
      from: v.optional(u16),
      seqs: f64,
      inputs: v.optional(u16),
      ...payloads,
      streams: fetchable,
    }),
  },
  /** Stop these if they run; answer with `dropped` (or their answer, if that was quicker). */
  stop: { from: ["hub"], schema: v.object({ t: v.literal("stop"), why: text(64), ...attempts }) },
  /** Give these back with `dropped` if they have not started. */
  recall: { from: ["hub"], schema: v.object({ t: v.literal("recall"), ...attempts }) },
  dropped: { from: ["node"], schema: v.object({ t: v.literal("dropped"), ...attempts }) },
  /** Answers; the node keeps them until the hub says `stored`. `ms`: how long each ran. */
  solved: {
    from: ["node"],
    schema: v.object({ t: v.literal("solved"), ...attempts, ms: f32, ...payloads, streams: uploaded }),
  },
  failed: {
    from: ["node"],
    schema: v.object({
      t: v.literal("failed"),
      task: count,
      attempt: count,
      code: text(64),
      message: text(65_536),
      retry: v.boolean(),
    }),
  },
  /** The hub has these answers safe, or does not want them: forget them. */
  stored: { from: ["hub"], schema: v.object({ t: v.literal("stored"), ...attempts }) },
  /** How many tasks the node wants to hold at once; 0: none, it pauses or is about to leave; another number takes that back. */
  credit: {
    from: ["node"],
    schema: v.object({
      t: v.literal("credit"),
      window: v.pipe(count, v.maxValue(65_536)),
      /** How many it runs at the same time from now on. */
      slots: v.optional(v.pipe(count, v.minValue(1), v.maxValue(1024))),
    }),
  },

  // Payloads of any size, in chunks, both ways.
  /** Begins an upload, or goes on with one after a break; answered by `grant`, or by `kept` if it is there already. */
  open: {
    from: ["client", "node"],
    schema: v.object({ t: v.literal("open"), id: streamId, bytes: v.optional(count) }),
  },
  chunk: {
    from: ["client", "node", "hub"],
    schema: v.object({ t: v.literal("chunk"), id: streamId, offset: count, data: u8 }),
  },
  /** By the receiver: all below `have` is here, what lies below `upTo` may be sent. */
  grant: {
    from: ["client", "node", "hub"],
    schema: v.object({ t: v.literal("grant"), id: streamId, have: count, upTo: count }),
  },
  /** The stream has this many bytes, which have all been sent. */
  end: {
    from: ["client", "node", "hub"],
    schema: v.object({ t: v.literal("end"), id: streamId, bytes: count }),
  },
  /** An upload is stored; a `submit` or `solved` may name it. */
  kept: {
    from: ["hub"],
    schema: v.object({ t: v.literal("kept"), id: streamId, bytes: count, hash: v.optional(text(64)) }),
  },
  /** Asks for a payload from `offset` on. What it is of says whether the sender may have it. */
  fetch: {
    from: ["client", "node", "hub"],
    schema: v.object({
      t: v.literal("fetch"),
      id: streamId,
      offset: count,
      upTo: count,
      of: v.union([
        v.object({ seq: count }),
        v.object({ task: count, attempt: count, index: v.pipe(count, v.maxValue(65_535)) }),
        ...valuesToFetch,
      ]),
    }),
  },
  /** The stream ends here without its end. */
  broken: {
    from: ["client", "node", "hub"],
    schema: v.object({ t: v.literal("broken"), id: streamId, code: text(64), message: text(4096) }),
  },

  ...GRAPH_MESSAGES,
} as const satisfies Record<string, { from: readonly Role[]; schema: v.GenericSchema }>;

export type MessageName = keyof typeof MESSAGES;
export type MessageOf<Name extends MessageName> = v.InferOutput<(typeof MESSAGES)[Name]["schema"]>;
export type Message = { [Name in MessageName]: MessageOf<Name> }[MessageName];
/** What a peer of this role may receive from us, or we from it. */
export type MessageFrom<R extends Role> = {
  [Name in MessageName]: R extends (typeof MESSAGES)[Name]["from"][number] ? MessageOf<Name> : never;
}[MessageName];

/**
 * Checks one decoded message against its row. Throws `bad_message` with what does not fit, `version_mismatch` for a hello or
 * welcome of another version, whatever its fields. Unknown fields are left out.
 */
export function checkMessage<R extends Role>(message: unknown, from: R): MessageFrom<R> {
  const t = typeof message === "object" && message !== null ? (message as { t?: unknown }).t : undefined;
  if (typeof t !== "string") throw new FlockworkError("bad_message", "A message without a type.");
  const row = Object.hasOwn(MESSAGES, t) ? MESSAGES[t as MessageName] : undefined;
  if (row === undefined)
    throw new FlockworkError("bad_message", `Unknown message ${JSON.stringify(t.slice(0, 64))}.`);
  if (!(row.from as readonly Role[]).includes(from))
    throw new FlockworkError("bad_message", `A ${from} may not send "${t}".`);
  if (t === "hello" || t === "welcome" || t === "challenge")
    checkVersion(message as { version?: unknown; software?: unknown }, from);
  const result = v.safeParse(row.schema, message, { abortEarly: true });
  if (!result.success) throw misfit(t, v.getDotPath(result.issues[0]), result.issues[0].message);
  const output = result.output as Message;
  const fault =
    columnsFault(output as Parameters<typeof columnsFault>[0]) ??
    (output.t === "hello" && output.node ? columnsFault(output.node) : undefined);
  if (fault !== undefined) throw misfit(t, null, fault);
  return output as MessageFrom<R>;
}

/** Before the schema: another version's fields may be others, and its people must learn why it does not work. */
function checkVersion({ version, software }: { version?: unknown; software?: unknown }, from: Role): void {
  if (typeof version !== "number" || version === PROTOCOL_VERSION) return;
  const who = from === "hub" ? "The hub" : "This program";
  const other = from === "hub" ? "this program" : "the hub";
  const name = typeof software === "string" ? ` (${software.slice(0, 64)})` : "";
  throw new FlockworkError(
    "version_mismatch",
    `${who}${name} speaks version ${version} of the protocol, ${other} version ${PROTOCOL_VERSION}. Install the same version of flockwork on both.`,
  );
}

function misfit(t: string, path: string | null, what: string): FlockworkError {
  const where = path === null ? "" : `, ${path}`;
  return new FlockworkError("bad_message", `Message "${t}"${where}: ${what}`.slice(0, 512));
}
