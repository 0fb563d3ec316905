// This tab's computing node, in a thread of its own: the page stays smooth, and a page that is hidden keeps its link.
// What the node can do is decided here, and nowhere else.
import type { EngineFigures, EngineSlots } from "../../src/engine/slot.js";
import { ComputingNode } from "../../src/flock/index.browser.js";
import { FlockworkError } from "../../src/ids/index.js";
import { parseToken } from "../../src/wire/token.js";
import { adapterHere } from "../../src/engine/worker/adapter.js";
import type { FromWorker, JoinOrder, ToWorker } from "./orders.js";

const TELL_MS = 250;
/** What one program may need at once. WebAssembly has 4 GiB at most, and a tab seldom gets that. */
const MEMORY_MB = 768;

let node: ComputingNode | undefined;
let running = 0;
let doing = "";
let asked = false;

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

function tellSoon(): void {
  if (asked) return;
  asked = true;
  setTimeout(() => {
    asked = false;
    if (node !== undefined) say({ is: "tally", answered: node.answered, running, doing });
  }, TELL_MS);
}

/** Engines come when they are first asked for: they are most of what this page weighs. */
async function engines(plan: Plan, kept: JoinOrder["figures"]): Promise<EngineSlots> {
  const { workerSlots } = await import("../../src/engine/worker/page-slots.js");
  const opened = await workerSlots({
    ...plan,
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
  run.settled.then(end, end);
  return {
    settled: run.settled,
    kill() {
      end();
      run.kill();
    },
  };
}

interface Plan {
  readonly provider: "webgpu" | "wasm" | undefined;
  readonly slots: number;
}

/** One task at a time on a graphics card: a second would only take from the first. */
async function planOf({ graphics, slots }: JoinOrder): Promise<Plan> {
  const adapter = graphics === false ? undefined : await adapterHere();
  return adapter !== undefined && (graphics ?? !adapter.software)
    ? { provider: "webgpu", slots: 1 }
    : { provider: "wasm", slots };
}

async function join(order: JoinOrder): Promise<void> {
  try {
    node = await enter(order, await planOf(order));
    say({ is: "joined", id: node.id });
    await node.closed;
    say({ is: "left" });
  } catch (error) {
    const { code, message } =
      error instanceof FlockworkError ? error : { code: "internal", message: String(error) };
    say({ is: "refused", code, message });
  } finally {
    node = undefined;
  }
}

/** With an engine; where there is none on the graphics card, with one on the processor; where there is none at all, with services only. */
async function enter(order: JoinOrder, plan: Plan): Promise<ComputingNode> {
  const { hub, token, labels, figures } = order;
  const { provider, slots } = plan;
  let opening = provider !== undefined;
  try {
    return await ComputingNode.join({
      hub,
      ...(token !== undefined && { token: parseToken(token) }),
      name: "tab",
      slots,
      labels,
      valuesMb: 256,
      services: SERVICES,
      ...(provider !== undefined && {
        engine: {},
        engines: async () => {
          const opened = await engines(plan, figures);
          opening = false;
          say({ is: "computes", provider, slots });
          return opened;
        },
      }),
      onUp: () => say({ is: "up" }),
      onDown: (reason) => say({ is: "down", reason }),
      onWaiting: () => say({ is: "waiting" }),
      onNotice: ({ code, message }) => say({ is: "notice", code, message }),
    });
  } catch (error) {
    if (!opening) throw error;
    const why = error instanceof Error ? error.message : String(error);
    if (provider === "webgpu") {
      say({ is: "card-lost", why });
      return enter(order, { provider: "wasm", slots: order.slots });
    }
    say({ is: "no-engine", why });
    return enter(order, { provider: undefined, slots: order.slots });
  }
}

const ORDERS: { readonly [order in ToWorker["do"]]: (order: never) => void } = {
  join: (order: JoinOrder) => void join(order),
  pause: () => node?.pause(),
  resume: () => node?.resume(),
  leave: () => void node?.close(),
};

onmessage = ({ data }: MessageEvent<ToWorker>) => ORDERS[data.do](data as never);
