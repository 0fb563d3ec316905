// Makes a process slower, as a machine of a fraction of its speed: `throttle.mjs PID TIMES` lets it run one part of the time in
// TIMES, in steps shorter than anything that is measured. Ends with the process.
const [pid, times] = process.argv.slice(2).map(Number);
const STEP_MS = 1;
const pause = new Int32Array(new SharedArrayBuffer(4));
const wait = (ms) => ms > 0 && Atomics.wait(pause, 0, 0, ms);
console.log("ready");
// Milliseconds that it may run now: what it got too much by a late wake-up is taken from the next step.
let due = 0;
let last = performance.now();
try {
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
} catch {
  // The process is gone.
}
