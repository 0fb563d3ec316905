// Ctrl-C and SIGTERM: the first asks to finish, the second to stop at once, the third ends the process.

/**
 * Calls `finish` on the first signal and `abort` on the second. Returns how to stop listening.
 */
export function onInterrupt(finish: () => void, abort: () => void): () => void {
  let signals = 0;
  const listener = (signal: NodeJS.Signals) => {
    signals++;
    if (signals === 1) {
      finish();
    } else if (signals === 2) abort();
    else process.exit(signal === "SIGINT" ? 130 : 143);
  };
  process.on("SIGINT", listener);
  process.on("SIGTERM", listener);
  return () => {
    process.off("SIGINT", listener);
    process.off("SIGTERM", listener);
  };
}
