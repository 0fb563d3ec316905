// The table of messages: each row takes a good message from the right peer, and nothing else.
import { describe, expect, it } from "vitest";
import { decodeFrame, encodeFrame } from "./frame.js";
import {
  checkMessage,
  MESSAGES,
  type Message,
  type MessageName,
  type MessageOf,
  type Role,
} from "./messages.js";
import { packPayloads } from "./payloads.js";

const attempts = { tasks: Float64Array.of(7, 2 ** 40), attempts: Uint16Array.of(1, 3) };
const asked = {
  clients: ["main.0a.14.1e.28", "other.01.02.03.04"],
  from: Uint16Array.of(1, 0),
  seqs: Float64Array.of(0, 9),
};
const runs = { runs: Float64Array.of(0, 10) };
const two = packPayloads([
  { kind: 1, bytes: new TextEncoder().encode("first job") },
  { kind: 0, bytes: Uint8Array.of(1, 2, 3) },
]);
const stream = "5a".repeat(16);
const value = "5a".repeat(32);
const hello: MessageOf<"hello"> & { node: object } = {
  t: "hello",
  version: 1,
  software: "flockwork 0.1.0",
  role: "node",
  kind: "computing",
  id: "worker.0a.14.1e.28",
  session: "worker.0a.14.1e.28",
  instance: "5f",
  domain: "166",
  node: { slots: 2, window: 8, services: ["upper"], idempotent: [], ...attempts },
};

/** One good message of each name. */
const GOOD: { [Name in MessageName]: Extract<Message, { t: Name }> } = {
  challenge: { t: "challenge", version: 1, software: "flockwork 0.1.0", nonce: "00".repeat(16) },
  hello,
  welcome: {
    t: "welcome",
    version: 1,
    software: "flockwork 0.1.0",
    hub: "hub.00.00.00.01",
    nextSeq: 0,
    missed: 0,
  },
  notice: { t: "notice", code: "limit", message: "Slower, please.", fatal: false },
  beat: { t: "beat" },
  goodbye: { t: "goodbye" },
  submit: { t: "submit", seq: 0, service: "upper", priority: -1, attempts: 3, inputs: [4], ...two },
  accepted: { t: "accepted", ...runs },
  refused: { t: "refused", ...runs, code: "storage_full", message: "The disk is full." },
  cancel: { t: "cancel", ...runs },
  solutions: { t: "solutions", seqs: Float64Array.of(0, 1), node: "worker.0a.14.1e.28", ...two },
  unsolved: {
    t: "unsolved",
    seq: 3,
    code: "service_error",
    message: "No.",
    reasons: [["n", "service_error", "No."]],
  },
  ack: { t: "ack", ...runs },
  resume: { t: "resume" },
  run: { t: "run", service: "upper", attemptTimeoutMs: 0, ...attempts, ...asked, ...two },
  stop: { t: "stop", why: "cancelled", ...attempts },
  recall: { t: "recall", ...attempts },
  dropped: { t: "dropped", ...attempts },
  solved: { t: "solved", ...attempts, ms: Float32Array.of(0.5, 2), ...two },
  failed: { t: "failed", task: 7, attempt: 1, code: "service_error", message: "No.", retry: true },
  stored: { t: "stored", ...attempts },
  credit: { t: "credit", window: 16, slots: 4 },
  open: { t: "open", id: stream, bytes: 9 },
  chunk: { t: "chunk", id: stream, offset: 3, data: Uint8Array.of(1, 2, 3) },
  grant: { t: "grant", id: stream, have: 6, upTo: 9 },
  end: { t: "end", id: stream, bytes: 9 },
  kept: { t: "kept", id: stream, bytes: 9, hash: "00".repeat(32) },
  fetch: { t: "fetch", id: stream, offset: 0, upTo: 9, of: { task: 7, attempt: 1, index: 0 } },
  broken: { t: "broken", id: stream, code: "cancelled", message: "Not wanted." },
  program: { t: "program", graph: stream, hash: value, model: Uint8Array.of(8, 9) },
  given: { t: "given", graph: stream, first: 2, ...two },
  tasks: {
    t: "tasks",
    graph: stream,
    first: 4,
    replicas: 2,
    list: [{ program: value, inputs: [0, [3, 1]], outputs: 2, flops: 1e9, memory: 4096 }],
  },
  want: { t: "want", graph: stream, outputs: [[4, 1]] },
  release: { t: "release", graph: stream, outputs: [[4, 0]] },
  finish: { t: "finish", graph: stream },
  persist: { t: "persist", graph: stream, output: [4, 1], name: "weights" },
  kept_names: { t: "kept_names", request: 1, delete: "weights" },
  distrust: { t: "distrust", graph: stream, output: [4, 1], why: "A B r is not C r" },
  survey: { t: "survey", request: 2 },
  done: {
    t: "done",
    graph: stream,
    tasks: Float64Array.of(4, 5),
    ms: Float32Array.of(0.5, 2),
    nodes: ["worker.0a.14.1e.28"],
    of: Uint16Array.of(0, 0),
  },
  undone: {
    t: "undone",
    graph: stream,
    task: 4,
    code: "program_error",
    message: "No.",
    reasons: [["n", "program_error", "No."]],
  },
  value: { t: "value", graph: stream, output: [4, 1], bytes: 3, data: Uint8Array.of(1, 2, 3) },
  ended: { t: "ended", graph: stream },
  persisted: { t: "persisted", graph: stream, name: "weights", bytes: 3 },
  names: { t: "names", request: 1, names: [["weights", 3]] },
  fleet: {
    t: "fleet",
    request: 2,
    nodes: [{ id: "n", slots: 1, flops: 4e10, memory: 1e10, provider: "cpu", owner: "local" }],
    bandwidth: 4e8,
    roundTrip: 0.0005,
  },
  compute: {
    t: "compute",
    list: [
      {
        task: 7,
        attempt: 1,
        program: value,
        timeoutMs: 0,
        inputs: [{ name: value, bytes: 9 }],
        outputs: [value],
      },
    ],
    names: [value, value],
    ...two,
  },
  computed: {
    t: "computed",
    task: 7,
    attempt: 1,
    ms: 2,
    bytes: Float64Array.of(9, 3),
    small: [0, 1],
    ...two,
  },
  holds: { t: "holds", names: [value], bytes: Float64Array.of(-1) },
  link: { t: "link", linkMs: 0.5, up: 1e8, down: 2e8 },
  probe: { t: "probe", id: 1, data: Uint8Array.of(1), reply: 8 },
  echo: { t: "echo", id: 1, data: Uint8Array.of(1) },
  drop: { t: "drop", names: [value] },
};

const ROLES: Role[] = ["client", "node", "beat", "hub"];

describe("checkMessage", () => {
  for (const [name, message] of Object.entries(GOOD)) {
    it(`takes ${name} from whom it may come, through a frame, and from nobody else`, () => {
      const [decoded] = decodeFrame(encodeFrame([message]));
      for (const role of ROLES)
        if ((MESSAGES[name as MessageName].from as readonly Role[]).includes(role))
          expect(checkMessage(decoded, role)).toEqual(message);
        else expect(() => checkMessage(decoded, role)).toThrow(`A ${role} may not send "${name}".`);
    });

    it(`refuses ${name} with a field of another type`, () => {
      const [role] = MESSAGES[name as MessageName].from;
      for (const field of Object.keys(message)) {
        const wrong = { ...message, [field]: { no: "such" } };
        expect(() => checkMessage(wrong, role), field).toThrow(
          expect.objectContaining({ code: "bad_message" }),
        );
      }
    });
  }

  it("names the message and the field", () => {
    expect(() => checkMessage({ t: "credit", window: -1 }, "node")).toThrow(/^Message "credit", window: /);
    expect(() => checkMessage({ ...hello, node: { ...hello.node, slots: "2" } }, "node")).toThrow(
      /^Message "hello", node.slots: /,
    );
  });

  it("tells another version apart from a bad message, whatever its fields", () => {
    for (const [from, message] of [
      ["node", { t: "hello", version: 2, software: "flockwork 9", all: "different" }],
      ["hub", { t: "welcome", version: 0 }],
    ] as const)
      expect(() => checkMessage(message, from)).toThrow(
        expect.objectContaining({ code: "version_mismatch" }),
      );
    expect(() => checkMessage({ ...hello, version: 2 }, "node")).toThrow(
      "This program (flockwork 0.1.0) speaks version 2 of the protocol, the hub version 1.",
    );
  });

  it("leaves out fields it does not know", () => {
    expect(checkMessage({ t: "beat", admin: true }, "node")).toEqual({ t: "beat" });
  });

  it.each([
    null,
    7,
    "beat",
    [],
    {},
    { t: 1 },
    { t: "toString" },
    { t: "__proto__" },
    { t: BigInt64Array.of(1n) },
  ])("refuses %o", (message) => {
    expect(() => checkMessage(message, "hub")).toThrow(expect.objectContaining({ code: "bad_message" }));
  });

  it("prints little of a very long type", () => {
    try {
      checkMessage({ t: "x".repeat(1e6) }, "hub");
      expect.unreachable();
    } catch (error) {
      expect((error as Error).message.length).toBeLessThan(200);
    }
  });

  it.each<[string, Role, object]>([
    ["tasks and attempts differ", "node", { ...GOOD.dropped, attempts: Uint16Array.of(1) }],
    [
      "tasks and attempts differ",
      "node",
      { ...hello, node: { ...hello.node, attempts: new Uint16Array(9) } },
    ],
    ["tasks and ms differ", "node", { ...GOOD.solved, ms: new Float32Array(3) }],
    ["not a whole number", "node", { ...GOOD.dropped, tasks: Float64Array.of(1, NaN) }],
    ["not a whole number", "node", { ...GOOD.dropped, tasks: Float64Array.of(1, -1) }],
    ["not a whole number", "hub", { ...GOOD.solutions, seqs: Float64Array.of(1, 2 ** 60) }],
    ["3 payloads are named, 2 are there", "hub", { ...GOOD.solutions, seqs: Float64Array.of(1, 2, 3) }],
    ["3 payloads are named, 2 are there", "hub", { ...GOOD.run, inputs: Uint16Array.of(1, 2) }],
    ["tasks and inputs differ", "hub", { ...GOOD.run, inputs: Uint16Array.of(2) }],
    ["Payloads need 24 bytes", "client", { ...GOOD.submit, data: new Uint8Array(32) }],
    // Lengths that add up only if sums wrap at 2^32.
    [
      "Payloads need 8589934592 bytes",
      "client",
      { ...GOOD.submit, lengths: Uint32Array.of(2 ** 32 - 1, 2 ** 32 - 1), data: new Uint8Array(0) },
    ],
    ["from a client that is not named", "hub", { ...GOOD.run, from: Uint16Array.of(0, 2) }],
    ["tasks and from differ", "hub", { ...GOOD.run, from: Uint16Array.of(0) }],
    ["tasks and seqs differ", "hub", { ...GOOD.run, seqs: Float64Array.of(0) }],
    ["kind 9 is not known", "client", { ...GOOD.submit, kinds: Uint8Array.of(0, 9) }],
    ["1 payload kinds but 2 lengths", "client", { ...GOOD.submit, kinds: Uint8Array.of(0) }],
  ])("refuses columns that do not fit: %s", (what, role, message) => {
    expect(() => checkMessage(message, role)).toThrow(what);
  });

  it("takes several payloads for one task", () => {
    const run = {
      ...GOOD.run,
      tasks: Float64Array.of(1),
      attempts: Uint16Array.of(1),
      from: undefined,
      seqs: Float64Array.of(0),
      inputs: Uint16Array.of(2),
    };
    expect(checkMessage(run, "hub")).toEqual(run);
  });
});
