// Makes a node's engine slower, as a machine of a fraction of its speed: `throttle.mjs NODE TIMES` lets the first child of the
// process NODE run one part of the time in TIMES, in steps shorter than anything that is measured. A new engine too.
import { readFileSync } from "node:fs";

const [node, times] = process.argv.slice(2).map(Number);
const STEP_MS = 1;
const pause = new Int32Array(new SharedArrayBuffer(4));
const wait = (ms) => ms > 0 && Atomics.wait(pause, 0, 0, ms);

/** The number of the engine's process, once there is one. Throws where the node is gone. */
function engine() {
  for (;;) {
    const [first] = readFileSync(`/proc/${node}/task/${node}/children`, "utf8").trim().split(" ");
    if (first) return Number(first);
    wait(STEP_MS);
  }
}

/** Until it ends. */
function throttle(pid) {
  // Milliseconds that it may run now: what it got too much by a late wake-up is taken from the next step.
  let due = 0;
  let last = performance.now();
  for (;;) {
    process.kill(pid, "SIGCONT");
    wait(STEP_MS);
    process.kill(pid, "SIGSTOP");
    let now = performance.now();
    due -= now - last;
    last = now;
    wait(-due * (times - 1));
    now = performance.now();
    due += (now - last) / (times - 1);
    last = now;
  }
}

console.log("ready");
for (;;) {
  const pid = engine();
  try {
    throttle(pid);
  } catch {
    // It is gone.
  }
}
