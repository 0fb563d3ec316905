// This tab's computing node, in a thread of its own: the page stays smooth, and a page that is hidden keeps its link.
// What the node can do is decided here, and nowhere else.
import { ComputingNode } from "../../src/flock/index.browser.js";
import { FlockworkError } from "../../src/ids/index.js";
import type { Services } from "../../src/node/index.js";
import { parseToken } from "../../src/wire/token.js";
import { measure } from "./benchmark.js";
import type { FromWorker, JoinOrder, ToWorker } from "./orders.js";

const TELL_MS = 250;

let node: ComputingNode | undefined;
let running = 0;
let doing = "";
let asked = false;

const say = (message: FromWorker) => postMessage(message);

/** What a tab computes for others: mathematics only, no code of theirs. */
const SERVICES: Services = {
  upper: { run: counted("upper", (job) => job.text().toUpperCase()), idempotent: true },
  lower: { run: counted("lower", (job) => job.text().toLowerCase()), idempotent: true },
  echo: { run: counted("echo", (job) => job.bytes()), idempotent: true },
};

type Run = (job: { text(): string; bytes(): Uint8Array }) => unknown;

function counted(name: string, run: Run): Run {
  return (job) => {
    running++;
    doing = name;
    try {
      return run(job);
    } finally {
      running--;
      tellSoon();
    }
  };
}

function tellSoon(): void {
  if (asked) return;
  asked = true;
  setTimeout(() => {
    asked = false;
    if (node !== undefined) say({ is: "tally", answered: node.answered, running, doing });
  }, TELL_MS);
}

async function join({ hub, token, slots, labels, figures }: JoinOrder): Promise<void> {
  try {
    say({ is: "figures", figures: figures ?? measure() });
    node = await ComputingNode.join({
      hub,
      ...(token !== undefined && { token: parseToken(token) }),
      name: "tab",
      slots,
      labels,
      services: SERVICES,
      onUp: () => say({ is: "up" }),
      onDown: (reason) => say({ is: "down", reason }),
      onWaiting: () => say({ is: "waiting" }),
      onNotice: ({ code, message }) => say({ is: "notice", code, message }),
    });
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

const ORDERS: { readonly [order in ToWorker["do"]]: (order: never) => void } = {
  join: (order: JoinOrder) => void join(order),
  pause: () => node?.pause(),
  resume: () => node?.resume(),
  leave: () => void node?.close(),
};

onmessage = ({ data }: MessageEvent<ToWorker>) => ORDERS[data.do](data as never);
