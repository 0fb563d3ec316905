// The end of the current turn of the event loop, on any runtime: after all input that is already here, before new input.

let ask: (() => void) | undefined;
let waiting: (() => void)[] = [];
/** Whether this turn has had its early end; Node only. */
let early = false;

/**
 * Calls `fn` once, at the end of this turn. Calls made in one turn run in their order.
 *
 * In Node the first calls of a turn run as soon as the code that made them has returned, the later ones at the turn's end:
 * a lone message does not wait for the loop to come round, and many still travel together.
 */
export function onTickEnd(fn: () => void): void {
  waiting.push(fn);
  if (waiting.length > 1) return;
  // A page has no setImmediate, but a message to oneself is close.
  if (typeof setImmediate !== "function") (ask ??= selfMessage())();
  else if (!early) {
    early = true;
    queueMicrotask(runWaiting);
    setImmediate(endTurn);
  }
}

/** Resolves in a later turn of the event loop: all that waits in this one, callers of `await` included, has run before. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => {
    if (typeof setImmediate === "function") setImmediate(resolve);
    else setTimeout(resolve, 0);
  });
}

function endTurn(): void {
  early = false;
  runWaiting();
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
