// The rows of MESSAGES that graphs need: programs, tasks, values. messages.ts joins them to the others.
import * as v from "valibot";
import { count, f32, f64, name, payloads, streamId, text, u16, u8 } from "./fields.js";

/** SHA-256 of a program's model, or the name of a value: 64 small hexadecimal digits. */
const digest = v.pipe(v.string(), v.regex(/^[0-9a-f]{64}$/, "is no SHA-256"));
/** Names a graph: chosen by its client, 16 bytes in hexadecimal. */
const graph = streamId;
const measure = v.pipe(v.number(), v.finite(), v.minValue(0));

/** Most bytes that a `probe` may bring or ask for. */
export const MAX_PROBE_BYTES = 4 * 1024 * 1024;
/** Most tasks, values or names of one message. */
const MANY = 65_536;
const MAX_INPUTS = 4096;
const MAX_RANK = 64;
const dimension = v.pipe(v.number(), v.safeInteger(), v.minValue(-1));
const many = <S extends v.GenericSchema>(item: S, most = MANY) => v.pipe(v.array(item), v.maxLength(most));

/** Output number `output` of task number `task` of the graph. */
const output = v.tuple([count, count]);

/** The link: milliseconds there and back, bytes a second to the hub and from it. */
const linkFields = { linkMs: measure, up: measure, down: measure };

/** What a node's engine is, and what its benchmark says: in `hello`. */
export const engineFields = v.object({
  /** `onnxruntime-node`, `onnxruntime-web`. */
  name: text(64),
  version: text(64),
  /** Execution provider: `cpu`, `wasm`, `webgpu`. */
  provider: name,
  threads: v.pipe(count, v.maxValue(1024)),
  /** Machines of one class compute the same bits with the same engine: architecture, vendor, vector instructions. */
  cpu: text(128),
  /** What a person would call the device. */
  device: v.optional(text(128)),
  dtypes: many(name, 64),
  /** Floating-point operations and bytes of memory a second of one slot, as measured. */
  flops: measure,
  memory: measure,
  /** Convolutions: floating-point operations a second. */
  convolution: v.optional(measure),
  /** Milliseconds that one call costs besides. */
  callMs: measure,
  ...v.partial(v.object(linkFields)).entries,
});

export type EngineFields = v.InferOutput<typeof engineFields>;

/** Values that a node holds from before, in `hello`: 32 bytes of each name, and their bytes. */
export const heldValues = v.object({ names: u8, bytes: f64 });

const taskOfGraph = v.object({
  program: digest,
  /** For each of the program's inputs: a task's output, or the number of a value that the client gave. */
  inputs: many(v.union([output, count]), MAX_INPUTS),
  /** How many values it makes. */
  outputs: v.pipe(count, v.minValue(1), v.maxValue(MAX_INPUTS)),
  /** What it is thought to take: floating-point operations, bytes of memory read and written. */
  flops: measure,
  memory: measure,
  /** Milliseconds one attempt may run; absent: as the hub sees fit. */
  timeoutMs: v.optional(v.pipe(count, v.minValue(1))),
  /** What a node must have. */
  needs: v.optional(
    v.object({
      memoryMb: v.optional(count),
      provider: v.optional(name),
      labels: v.optional(many(name, 64)),
    }),
  ),
});

/** What a `fetch` may be of, besides payloads of jobs: whoever has it sends it, by way of the hub. */
export const valuesToFetch = [
  /** By a node, and by the hub from a node. */
  v.object({ value: digest }),
  /** By a node: a program's model. */
  v.object({ program: digest }),
  /** By a client: an output of its graph, and what is kept under a name. */
  v.object({ graph, output }),
  v.object({ persisted: text(200) }),
  /** By the hub, from a client: a value that it gave. */
  v.object({ graph, given: count }),
] as const;

export const GRAPH_MESSAGES = {
  // Client and hub.
  /** A program that tasks will name. The hub keeps it while a graph of this client may need it. */
  program: {
    from: ["client"],
    schema: v.object({
      t: v.literal("program"),
      graph,
      hash: digest,
      model: u8,
      /** What each output is: dtype and shape, -1 where a length is known by running only. Others are refused from nodes. */
      outputs: v.optional(many(v.tuple([name, many(dimension, MAX_RANK)]), MAX_INPUTS)),
    }),
  },
  /**
   * Values `first`, `first + 1`, ... of the client's own, as tensors. Small ones come along; what `streams` lists as
   * [index, bytes] is fetched from the client when a node needs it.
   */
  given: {
    from: ["client"],
    schema: v.object({
      t: v.literal("given"),
      graph,
      first: count,
      ...payloads,
      streams: v.optional(many(v.tuple([count, count]))),
    }),
  },
  /** Tasks `first`, `first + 1`, ... of a graph, each after those that it needs. Sent again after a break: the same tasks. */
  tasks: {
    from: ["client"],
    schema: v.object({
      t: v.literal("tasks"),
      graph,
      first: count,
      /** Higher first, within one client. */
      priority: v.optional(v.pipe(v.number(), v.safeInteger())),
      /** Groups run on this many nodes of different owners, and their results are compared. */
      replicas: v.optional(v.pipe(count, v.minValue(1), v.maxValue(5))),
      list: many(taskOfGraph),
    }),
  },
  /** Outputs that the client will read: the hub tells of each with `value` once it is there. */
  want: { from: ["client"], schema: v.object({ t: v.literal("want"), graph, outputs: many(output) }) },
  /** Nobody will ask for these any more, beyond the tasks that need them. */
  release: {
    from: ["client"],
    schema: v.object({
      t: v.literal("release"),
      graph,
      outputs: many(output),
      givens: v.optional(many(count)),
    }),
  },
  /** The graph is over: what runs is stopped, all its values go. Answered by `ended`. */
  finish: { from: ["client"], schema: v.object({ t: v.literal("finish"), graph }) },
  /** Keeps an output under a name until it is deleted. Answered by `persisted`. */
  persist: {
    from: ["client"],
    schema: v.object({ t: v.literal("persist"), graph, output, name: text(200) }),
  },
  /** Deletes what was kept under a name (`delete`), or lists the names (`list`). Answered by `names`. */
  kept_names: {
    from: ["client"],
    schema: v.object({ t: v.literal("kept_names"), request: count, delete: v.optional(text(200)) }),
  },
  /** The client has found a value to be wrong: whoever computed it is left alone for a while, and it is computed again. */
  distrust: {
    from: ["client"],
    schema: v.object({ t: v.literal("distrust"), graph, output, why: text(1024) }),
  },
  /** What is there to compute with. Answered by `fleet`. */
  survey: { from: ["client"], schema: v.object({ t: v.literal("survey"), request: count }) },

  /** Tasks that are done: `nodes[of[i]]` took `ms[i]` for task `tasks[i]`. */
  done: {
    from: ["hub"],
    schema: v.object({
      t: v.literal("done"),
      graph,
      tasks: f64,
      ms: f32,
      nodes: many(text(256)),
      of: u16,
    }),
  },
  /** A task that will not be done. `reasons`: [node, code, message] of each failed attempt. */
  undone: {
    from: ["hub"],
    schema: v.object({
      t: v.literal("undone"),
      graph,
      task: count,
      code: text(64),
      message: text(65_536),
      reasons: many(v.tuple([text(256), text(64), text(65_536)]), 1000),
    }),
  },
  /** An output that was wanted is there: with its bytes where it is small, to be fetched where not. */
  value: {
    from: ["hub"],
    schema: v.object({
      t: v.literal("value"),
      graph,
      output,
      bytes: count,
      data: v.optional(u8),
      /** What its bytes must hash to, where several nodes agreed on them. */
      sha256: v.optional(digest),
    }),
  },
  ended: { from: ["hub"], schema: v.object({ t: v.literal("ended"), graph }) },
  persisted: {
    from: ["hub"],
    schema: v.object({
      t: v.literal("persisted"),
      graph,
      name: text(200),
      bytes: count,
      /** Why it is not. */
      code: v.optional(text(64)),
      message: v.optional(text(4096)),
    }),
  },
  names: {
    from: ["hub"],
    schema: v.object({
      t: v.literal("names"),
      request: count,
      names: many(v.tuple([text(200), count])),
      code: v.optional(text(64)),
      message: v.optional(text(4096)),
    }),
  },
  fleet: {
    from: ["hub"],
    schema: v.object({
      t: v.literal("fleet"),
      request: count,
      nodes: many(
        v.object({
          id: text(256),
          slots: count,
          flops: measure,
          memory: measure,
          provider: name,
          owner: text(256),
        }),
      ),
      /** Bytes a second between nodes, and seconds to hand a task over and hear of its end, as far as known. */
      bandwidth: measure,
      roundTrip: measure,
    }),
  },

  // Hub and node.
  /**
   * Tasks to be computed, in the order they are to start. Programs and inputs that the node has not are fetched by it; small
   * inputs may come along: `names[i]` is the value that payload i is.
   */
  compute: {
    from: ["hub"],
    schema: v.object({
      t: v.literal("compute"),
      list: many(
        v.object({
          task: count,
          attempt: v.pipe(count, v.maxValue(65_535)),
          program: digest,
          timeoutMs: count,
          inputs: many(
            v.object({
              name: digest,
              bytes: count,
              /** What its bytes must hash to: they come from a stranger. */
              sha256: v.optional(digest),
            }),
            MAX_INPUTS,
          ),
          outputs: many(digest, MAX_INPUTS),
          /** The answer is to say what the outputs' bytes hash to. */
          hashed: v.optional(v.boolean()),
        }),
      ),
      names: many(digest),
      ...payloads,
    }),
  },
  /**
   * One task's outputs are at the node. Those of up to SMALL_VALUE bytes come along as tensors (payload i is output
   * `small[i]`); the node need not keep them.
   */
  computed: {
    from: ["node"],
    schema: v.object({
      t: v.literal("computed"),
      task: count,
      attempt: v.pipe(count, v.maxValue(65_535)),
      /** Milliseconds in the engine. */
      ms: measure,
      bytes: f64,
      sha256: v.optional(many(digest, MAX_INPUTS)),
      small: many(count, MAX_INPUTS),
      ...payloads,
    }),
  },
  /** The node has got copies of these, or has none any more. `bytes` -1: none. */
  holds: {
    from: ["node"],
    schema: v.object({ t: v.literal("holds"), names: many(digest), bytes: f64 }),
  },
  /** What probes have found, on a first visit: `hello` says it on later ones. */
  link: { from: ["node"], schema: v.object({ t: v.literal("link"), ...linkFields }) },
  /** Asks for `reply` bytes back at once: what the link can do is measured with it. Answered by `echo`. */
  probe: {
    from: ["node"],
    schema: v.object({
      t: v.literal("probe"),
      id: count,
      data: u8,
      reply: v.pipe(count, v.maxValue(MAX_PROBE_BYTES)),
    }),
  },
  echo: { from: ["hub"], schema: v.object({ t: v.literal("echo"), id: count, data: u8 }) },
  /** Nobody needs these values any more. */
  drop: { from: ["hub"], schema: v.object({ t: v.literal("drop"), names: many(digest) }) },
} as const;

/** Values of up to this many bytes travel with the messages about them, and are kept by the hub. */
export const SMALL_VALUE = 16 * 1024;
/** Largest model that a `program` may bring. */
export const MAX_MODEL_BYTES = 64 * 1024 * 1024;
