// The end of the current turn of the event loop, on any runtime: after all input that is already here, before new input.

let ask: (() => void) | undefined;
let waiting: (() => void)[] = [];

/** Calls `fn` once, at the end of this turn. Calls made in one turn run in their order. */
export function onTickEnd(fn: () => void): void {
  // Node's setImmediate runs after all sockets that were readable; a page has no such thing, but a message to oneself is close.
  if (typeof setImmediate === "function") {
    setImmediate(fn);
    return;
  }
  waiting.push(fn);
  if (waiting.length > 1) return;
  ask ??= selfMessage();
  ask();
}

function runWaiting(): void {
  const due = waiting;
  waiting = [];
  for (const fn of due) fn();
}

function selfMessage(): () => void {
  if (typeof MessageChannel !== "function") return () => queueMicrotask(runWaiting);
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = runWaiting;
  return () => port2.postMessage(null);
}
