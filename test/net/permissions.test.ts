// Who may do what: every message by every role, every route by every token. Both tables name each row of the code's own.
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { MESSAGES, type Message } from "../../dist/wire/index.js";
import { Flock, type OnFinished } from "../flock.js";
import { CLIENT, fetchRaw, guarded, nodeWords, Raw } from "./raw.js";

const STREAM = "00112233445566778899aabbccddeeff";
const VALUE = "00".repeat(32);
const runs = Float64Array.of(0, 1);
const attempts = { tasks: Float64Array.of(1), attempts: Uint16Array.of(1) };
const payload = { kinds: Uint8Array.of(1), lengths: Uint32Array.of(3), data: new Uint8Array(8).fill(97) };
const nonce = "0".repeat(32);

/** One of each, as its schema wants it: what is refused is refused for its sender. */
const SAMPLES: { readonly [Name in Message["t"]]: object } = {
  challenge: { version: 1, software: "x", nonce },
  hello: CLIENT,
  welcome: { version: 1, software: "x", hub: "x", nextSeq: 0, missed: 0 },
  notice: { code: "x", message: "x", fatal: false },
  beat: {},
  goodbye: {},
  submit: { seq: 0, service: "nobody", ...payload },
  accepted: { runs },
  refused: { runs, code: "x", message: "x" },
  cancel: { runs },
  solutions: { seqs: Float64Array.of(0), node: "x", ...payload },
  unsolved: { seq: 0, code: "x", message: "x", reasons: [] },
  ack: { runs },
  resume: {},
  run: {
    service: "x",
    attemptTimeoutMs: 0,
    ...attempts,
    clients: ["x"],
    seqs: Float64Array.of(0),
    ...payload,
  },
  stop: { why: "x", ...attempts },
  recall: attempts,
  dropped: attempts,
  solved: { ...attempts, ms: Float32Array.of(1), ...payload },
  failed: { task: 1, attempt: 1, code: "x", message: "x", retry: true },
  stored: attempts,
  credit: { window: 1, slots: 1 },
  open: { id: STREAM },
  chunk: { id: STREAM, offset: 0, data: new Uint8Array(8) },
  grant: { id: STREAM, have: 0, upTo: 0 },
  end: { id: STREAM, bytes: 0 },
  kept: { id: STREAM, bytes: 0, hash: "x" },
  fetch: { id: STREAM, offset: 0, upTo: 0, of: { seq: 0 } },
  broken: { id: STREAM, code: "x", message: "x" },
  program: { graph: STREAM, hash: VALUE, model: new Uint8Array(8) },
  given: { graph: STREAM, first: 0, ...payload },
  tasks: { graph: STREAM, first: 0, list: [] },
  want: { graph: STREAM, outputs: [] },
  release: { graph: STREAM, outputs: [] },
  finish: { graph: STREAM },
  persist: { graph: STREAM, output: [0, 0], name: "x" },
  kept_names: { request: 0 },
  distrust: { graph: STREAM, output: [0, 0], why: "x" },
  survey: { request: 0 },
  done: {
    graph: STREAM,
    tasks: Float64Array.of(0),
    ms: Float32Array.of(1),
    nodes: ["x"],
    of: Uint16Array.of(0),
  },
  undone: { graph: STREAM, task: 0, code: "x", message: "x", reasons: [] },
  value: { graph: STREAM, output: [0, 0], bytes: 0 },
  ended: { graph: STREAM },
  persisted: { graph: STREAM, name: "x", bytes: 0 },
  names: { request: 0, names: [] },
  fleet: { request: 0, nodes: [], bandwidth: 1, roundTrip: 1 },
  compute: { list: [], names: [VALUE], ...payload },
  computed: { task: 1, attempt: 1, ms: 1, bytes: Float64Array.of(3), small: [0], ...payload },
  holds: { names: [VALUE], bytes: Float64Array.of(3) },
  link: { linkMs: 1, up: 1, down: 1 },
  probe: { id: 0, data: new Uint8Array(8), reply: 0 },
  echo: { id: 0, data: new Uint8Array(8) },
  drop: { names: [VALUE] },
};

const WORDS = {
  client: CLIENT,
  node: nodeWords("table.00.00.00.01", ["other"]),
  beat: { ...CLIENT, role: "beat", kind: "computing", session: "table.00.00.00.01" },
} as const;

describe.concurrent("messages", () => {
  it.each(["client", "node", "beat"] as const)("by a %s: those of its row, no others", async (role) => {
    let end!: () => Promise<void>;
    const flock = new Flock((finish) => (end = finish));
    try {
      const hub = await flock.hub({ ephemeral: true });
      const raw = await Raw.joined(flock, hub.url, WORDS[role]);
      // What ends the connection comes last.
      const names = Object.keys(SAMPLES) as Message["t"][];
      names.sort((a, b) => Number(a === "goodbye") - Number(b === "goodbye"));
      expect(names.length).toBe(Object.keys(MESSAGES).length);
      for (const name of names) {
        const before = raw.heard.length;
        // A frame that is no frame is answered too: what was said before it has been by then.
        raw.say({ t: name, ...SAMPLES[name] });
        raw.sayBytes(Uint8Array.of(7));
        const heardMark = ({ message }: { readonly message: string }) => /1 bytes/.test(message);
        await raw.hears("notice", (notice) => raw.heard.indexOf(notice) >= before && heardMark(notice));
        const answers = raw.heard.slice(before).filter((m) => m.t === "notice" && !heardMark(m));
        const refusals = answers.map((m) => (m as { message: string }).message);
        const may = (MESSAGES[name].from as readonly string[]).includes(role);
        if (name === "hello")
          expect(refusals, name).toEqual([expect.stringMatching(/says hello once|may not send/)]);
        else if (may)
          expect(
            refusals.filter((text) => /may not send/.test(text)),
            name,
          ).toEqual([]);
        else expect(refusals, name).toEqual([`A ${role} may not send "${name}".`]);
      }
    } finally {
      await end();
    }
  });

  it("before a hello: none but a hello", async ({ onTestFinished }) => {
    const { flock, hub, tokens } = await guarded(onTestFinished);
    for (const [name, sample] of Object.entries(SAMPLES)) {
      const raw = new Raw(flock, hub.url);
      await raw.hears("challenge");
      raw.say({ t: name, ...sample }, await raw.prove(tokens.main));
      expect(await raw.refused(name === "hello" ? "unauthorized" : "bad_message"), name).toMatch(
        name === "hello" ? /asks for a token/ : /The first message must be a hello/,
      );
    }
  });
});

describe.concurrent("routes", () => {
  const BLOB = "x".repeat(300_000);
  const HASH = createHash("sha256").update(BLOB).digest("hex");

  /** A hub with a large job of anna's in domain 166 that waits, and tokens of several kinds. */
  async function scene(onFinished: OnFinished) {
    const { flock, hub, tokens } = await guarded(onFinished);
    const create = async (...args: string[]) => {
      const made = flock.command("token", "create", "--data", `${flock.folder}/data`, ...args);
      expect(await made.ended).toBe(0);
      return made.out[0]!;
    };
    const anna = await create("--role", "main", "--owner", "anna");
    const all = {
      nobody: undefined,
      compute: tokens.compute,
      main: anna,
      otherMain: tokens.main,
      observe: tokens.observe,
      observeHere: await create("--role", "observe", "--domain", "166"),
      observeElsewhere: await create("--role", "observe", "--domain", "10"),
    };
    // The hub looks at its token file now and then.
    for (;;) {
      const { status } = await fetchRaw(hub.port, "/api/jobs", bearing(all.observeElsewhere));
      if (status === 200) break;
      await new Promise((next) => setTimeout(next, 50));
    }
    const main = await flock.main(hub.url, { token: anna, session: "annas" });
    main.request("nobody", BLOB).catch(() => undefined);
    const node = flock.command("computing-node", "--hub", hub.url, "--token", tokens.compute);
    await node.said(/ready/);
    for (;;) {
      const { body } = await fetchRaw(hub.port, "/api/jobs", bearing(all.observe));
      if (/"submitted": 1/.test(body)) break;
      await new Promise((next) => setTimeout(next, 50));
    }
    return { hub, all };
  }

  const bearing = (token: string | undefined): Record<string, string> =>
    token === undefined ? {} : { authorization: `Bearer ${token}` };

  /** What each sees: a status, or for 200 whether anna's session, the node or the payload is in it. */
  const SEEN = {
    "/healthz": {
      nobody: 200,
      compute: 200,
      main: 200,
      otherMain: 200,
      observe: 200,
      observeHere: 200,
      observeElsewhere: 200,
    },
    "/metrics": {
      nobody: 401,
      compute: 401,
      main: 200,
      otherMain: 200,
      observe: 200,
      observeHere: 403,
      observeElsewhere: 403,
    },
    "/api/nodes": {
      nobody: 401,
      compute: 401,
      main: "AMLComputingNode",
      otherMain: "AMLComputingNode",
      observe: "AMLComputingNode",
      observeHere: "AMLComputingNode",
      observeElsewhere: "-",
    },
    "/api/jobs": {
      nobody: 401,
      compute: 401,
      main: "annas",
      otherMain: "-",
      observe: "annas",
      observeHere: "annas",
      observeElsewhere: "-",
    },
    "/api/graphs": {
      nobody: 401,
      compute: 401,
      main: "-",
      otherMain: "-",
      observe: "-",
      observeHere: "-",
      observeElsewhere: "-",
    },
    "/api/errors": {
      nobody: 401,
      compute: 401,
      main: 403,
      otherMain: 403,
      observe: 200,
      observeHere: 403,
      observeElsewhere: 403,
    },
    "/api/nonce": {
      nobody: 200,
      compute: 200,
      main: 200,
      otherMain: 200,
      observe: 200,
      observeHere: 200,
      observeElsewhere: 200,
    },
    "/api/ticket": {
      nobody: 405,
      compute: 405,
      main: 405,
      otherMain: 405,
      observe: 405,
      observeHere: 405,
      observeElsewhere: 405,
    },
    [`/blobs/${HASH}`]: {
      nobody: 401,
      compute: 401,
      main: "xxxx",
      otherMain: 404,
      observe: "xxxx",
      observeHere: "xxxx",
      observeElsewhere: 404,
    },
    "/elsewhere": {
      nobody: 404,
      compute: 404,
      main: 404,
      otherMain: 404,
      observe: 404,
      observeHere: 404,
      observeElsewhere: 404,
    },
  } as const;

  it("by every token: what its role, owner and domain let it see", async ({ onTestFinished }) => {
    const { hub, all } = await scene(onTestFinished);
    for (const [path, rows] of Object.entries(SEEN))
      for (const [who, expected] of Object.entries(rows) as [keyof typeof all, number | string][]) {
        const { status, body, headers } = await fetchRaw(hub.port, path, bearing(all[who]));
        const what = `${who} at ${path.slice(0, 20)}`;
        if (typeof expected === "number") expect([what, status]).toEqual([what, expected]);
        else {
          expect([what, status]).toEqual([what, 200]);
          const secrets = /AMLComputingNode|annas|xxxx/.exec(body)?.[0] ?? "-";
          expect([what, secrets]).toEqual([what, expected]);
        }
        expect(headers).toMatchObject({
          "content-security-policy": "default-src 'none'; frame-ancestors 'none'",
          "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer",
          "cross-origin-resource-policy": "same-origin",
        });
        expect(headers["cache-control"], what).toMatch(
          path.startsWith("/blobs") && status === 200 ? /private/ : /no-store/,
        );
        expect(headers).not.toHaveProperty("access-control-allow-origin");
      }
    // The events are a stream for who may read them, and a refusal like others' for who may not.
    for (const [who, status] of [
      ["nobody", 401],
      ["compute", 401],
      ["main", 403],
      ["otherMain", 403],
      ["observeHere", 403],
    ] as const)
      expect([who, (await fetchRaw(hub.port, "/api/events", bearing(all[who]))).status]).toEqual([
        who,
        status,
      ]);
    // The table has every route there is.
    const { body } = await fetchRaw(hub.port, "/elsewhere");
    const named = body.match(/\/[a-z]+(\/[a-z]+)?(?=[,."])/g)!.filter((path) => path !== "/elsewhere");
    expect(named.toSorted()).toEqual(
      [...Object.keys(SEEN), "/dashboard", "/api/events"]
        .filter((p) => !/blobs|elsewhere/.test(p))
        .toSorted(),
    );
    // Nothing is written by these routes, and no other method reads them.
    for (const method of ["POST", "PUT", "DELETE", "OPTIONS", "PATCH"])
      for (const path of Object.keys(SEEN).filter((path) => path !== "/api/ticket"))
        expect((await fetchRaw(hub.port, path, bearing(all.observe), method)).status).toBeGreaterThanOrEqual(
          404,
        );
  });
});
