// The hub's events, for as long as the page is open: it redials when the link breaks, when the device wakes, when the hub is
// back. Read by fetch, since an EventSource can not show a ticket.
import { Refused, type Access } from "./access.js";

export interface FeedListener {
  onUpdate(update: unknown): void;
  /** The hub is not there; it is being tried again. */
  onLost(why: string): void;
  /** It does not let us in: nothing more is tried. */
  onRefused(why: string): void;
}

/** The hub says something every second. */
const SILENT_MS = 5000;
const FIRST_WAIT_MS = 300;
const MOST_WAIT_MS = 4000;

export async function follow(access: Access, listener: FeedListener, stop: AbortSignal): Promise<void> {
  let wait = FIRST_WAIT_MS;
  while (!stop.aborted) {
    try {
      await read(access, stop, (update) => {
        wait = FIRST_WAIT_MS;
        listener.onUpdate(update);
      });
      listener.onLost("The hub ended the connection.");
    } catch (error) {
      if (stop.aborted) return;
      if (error instanceof Refused) return listener.onRefused(error.message);
      listener.onLost("The hub does not answer.");
    }
    await pause(wait, stop);
    wait = Math.min(MOST_WAIT_MS, wait * 1.7);
  }
}

async function read(access: Access, stop: AbortSignal, onUpdate: (update: unknown) => void): Promise<void> {
  const quit = new AbortController();
  const abort = () => quit.abort();
  stop.addEventListener("abort", abort);
  let silence = setTimeout(abort, SILENT_MS);
  try {
    const response = await access.get("/api/events", quit.signal);
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    let rest = "";
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      clearTimeout(silence);
      silence = setTimeout(abort, SILENT_MS);
      const events = (rest + value).split("\n\n");
      rest = events.pop()!;
      for (const event of events) {
        const data = event.split("\n").find((line) => line.startsWith("data: "));
        if (data !== undefined) onUpdate(JSON.parse(data.slice(6)));
      }
    }
  } finally {
    clearTimeout(silence);
    stop.removeEventListener("abort", abort);
  }
}

/** Ends early when the network is back or the page is looked at again. */
function pause(ms: number, stop: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      removeEventListener("online", end);
      document.removeEventListener("visibilitychange", end);
      stop.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    addEventListener("online", end);
    document.addEventListener("visibilitychange", end);
    stop.addEventListener("abort", end);
  });
}
