// This tab's computing node, in a thread of its own: the page stays smooth, and a page that is hidden keeps its link.
// What the node can do is decided here, and nowhere else.
import type { EngineFigures, EngineSlots } from "../../src/engine/slot.js";
import { ComputingNode } from "../../src/flock/index.browser.js";
import { FlockworkError } from "../../src/ids/index.js";
import { parseToken } from "../../src/wire/token.js";
import { adapterHere } from "../../src/engine/worker/adapter.js";
import type { FromWorker, JoinOrder, ToWorker } from "./orders.js";
import { Sleep } from "./sleep.js";
import { Tabs, type TabWord } from "./tabs.js";

const TELL_MS = 250;
const TICK_MS = 1000;
/** What one program may need at once. WebAssembly has 4 GiB at most, and a tab seldom gets that. */
const MEMORY_MB = 768;

let node: ComputingNode | undefined;
let running = 0;
let doing = "";
let asked = false;
/** Tasks that came to nothing here. */
let failed = 0;
/** What the device may run at the same time, and the part of it that falls to this tab. */
let allowed = 1;
let share = 1;
/** One task at a time on a graphics card: a second would only take from the first. */
let onCard = false;
let tabs: Tabs | undefined;

const sleep = new Sleep(Date.now());
const channel = new BroadcastChannel("flockwork tabs");

const say = (message: FromWorker) => postMessage(message);

/** The one service of a tab: enough to see a hub at work. All else that it computes are programs. */
const SERVICES = {
  upper: {
    run: (job: { text(): string }) => {
      began("upper");
      try {
        return job.text().toUpperCase();
      } finally {
        ended();
      }
    },
    idempotent: true,
  },
};

function began(what: string): void {
  running++;
  doing = what;
  tellSoon();
}

function ended(): void {
  running--;
  tellSoon();
}

channel.onmessage = ({ data }: MessageEvent<TabWord>) => {
  tabs?.hear(data, Date.now());
  divide();
};

setInterval(() => {
  const now = Date.now();
  tabs?.tick(now, sleep.look(now));
  divide();
}, TICK_MS);

/** The device's share of this tab is another: what runs goes on. */
function divide(): void {
  if (tabs === undefined) return;
  const slots = onCard ? 1 : tabs.share(allowed);
  if (slots !== share) node?.resize(slots);
  share = slots;
  say({ is: "share", tabs: tabs.count, slots });
}

function tellSoon(): void {
  if (asked) return;
  asked = true;
  setTimeout(() => {
    asked = false;
    if (node !== undefined) say({ is: "tally", answered: node.answered - failed, running, doing });
  }, TELL_MS);
}

/** Engines come when they are first asked for: they are most of what this page weighs. */
async function engines(provider: string, kept: JoinOrder["figures"]): Promise<EngineSlots> {
  const { workerSlots } = await import("../../src/engine/worker/page-slots.js");
  const opened = await workerSlots({
    provider,
    slots: share,
    memoryMb: MEMORY_MB,
    onDeviceLost: (why) => say({ is: "card-lost", why }),
    start: () => new Worker(new URL("./engine-worker.ts", import.meta.url), { type: "module" }),
    figures: {
      read: (key) => Promise.resolve(kept?.key === key ? kept.figures : undefined),
      write: (key: string, figures: EngineFigures) => {
        say({ is: "figures", kept: { key, figures } });
        return Promise.resolve();
      },
    },
  });
  return { ...opened, run: (program, inputs) => watched(opened.run(program, inputs)) };
}

function watched(run: ReturnType<EngineSlots["run"]>): ReturnType<EngineSlots["run"]> {
  began("a part of a graph");
  let over = false;
  const end = () => {
    if (!over) ended();
    over = true;
  };
  run.settled.then(end, (error: unknown) => {
    failed++;
    end();
    say({ is: "failed", ...wordsOf(error) });
  });
  return {
    settled: run.settled,
    kill() {
      end();
      run.kill();
    },
  };
}

function wordsOf(error: unknown): { readonly code: string; readonly message: string } {
  if (!(error instanceof FlockworkError)) return { code: "internal", message: String(error) };
  return { code: error.code, message: error.message };
}

/** What computes programs; undefined: nothing does. */
type Provider = "webgpu" | "wasm" | undefined;

async function providerFor({ graphics }: JoinOrder): Promise<Provider> {
  const adapter = graphics === false ? undefined : await adapterHere();
  return adapter !== undefined && (graphics ?? !adapter.software) ? "webgpu" : "wasm";
}

async function join(order: JoinOrder): Promise<void> {
  allowed = share = order.slots;
  failed = 0;
  tabs = new Tabs(crypto.getRandomValues(new Uint32Array(2)).join(" "), (word) => channel.postMessage(word));
  try {
    node = await enter(order, await providerFor(order));
    // Others may have been heard of meanwhile.
    node.resize(share);
    say({ is: "joined", id: node.id });
    await node.closed;
    say({ is: "left" });
  } catch (error) {
    say({ is: "refused", ...wordsOf(error) });
  } finally {
    node = undefined;
    tabs.leave();
    tabs = undefined;
  }
}

/** With an engine; where there is none on the graphics card, with one on the processor; where there is none at all, with services only. */
async function enter(order: JoinOrder, provider: Provider): Promise<ComputingNode> {
  const { hub, token, labels, figures } = order;
  let opening = provider !== undefined;
  onCard = provider === "webgpu";
  divide();
  try {
    return await ComputingNode.join({
      hub,
      ...(token !== undefined && { token: parseToken(token) }),
      name: "tab",
      slots: share,
      labels,
      valuesMb: 256,
      services: SERVICES,
      ...(provider !== undefined && {
        engine: {},
        engines: async () => {
          const opened = await engines(provider, figures);
          opening = false;
          say({ is: "computes", provider });
          return opened;
        },
      }),
      onUp: () => say({ is: "up" }),
      onDown: (reason) => say({ is: "down", reason, slept: sleep.before(Date.now()) }),
      onWaiting: () => say({ is: "waiting" }),
      onNotice: ({ code, message }) => say({ is: "notice", code, message }),
    });
  } catch (error) {
    if (!opening) throw error;
    const why = error instanceof Error ? error.message : String(error);
    if (provider === "webgpu") {
      say({ is: "card-lost", why });
      return enter(order, "wasm");
    }
    say({ is: "no-engine", why });
    return enter(order, undefined);
  }
}

const ORDERS: { readonly [order in ToWorker["do"]]: (order: never) => void } = {
  join: (order: JoinOrder) => void join(order),
  slots: ({ slots }: { readonly slots: number }) => {
    allowed = slots;
    divide();
  },
  pause: () => node?.pause(),
  resume: () => node?.resume(),
  leave: () => void node?.close(),
};

onmessage = ({ data }: MessageEvent<ToWorker>) => ORDERS[data.do](data as never);
