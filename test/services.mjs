// The services of test/worker.mjs. Each says "run <job>" when it begins and "end <job>" when it answers; a job's text is
// "<name>" or "<name> <milliseconds>".
import { writeSync } from "node:fs";
import { threadId } from "node:worker_threads";
import { createHash } from "node:crypto";

/** Straight to the pipe: also from a worker, and also just before the thread is held. A full pipe is waited for. */
const say = (line) => {
  for (let rest = Buffer.from(`${line}\n`); rest.length > 0;)
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      if (error.code !== "EAGAIN") throw error;
    }
};

const parts = (job) => {
  const [name, ms = "0"] = job.text().split(" ");
  return { name, ms: Number(ms) };
};

/** Upper case, at once. */
export function upper(job) {
  const text = job.text();
  say(`run ${text}`);
  say(`end ${text}`);
  return text.toUpperCase();
}

/** Upper case after a while; ends early when it is not wanted any more. */
export async function slow(job, { signal }) {
  const { name, ms } = parts(job);
  say(`run ${name}`);
  await new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, ms);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      say(`aborted ${name}`);
      reject(signal.reason);
    });
  });
  say(`end ${name}`);
  return name.toUpperCase();
}

/** Upper case without a word, for loads whose lines nobody reads. */
export function quiet(job) {
  return job.text().toUpperCase();
}

/** Takes its time at the first try only. */
export function slowFirst(job, context) {
  return context.attempt === 1 ? slow(job, context) : upper(job);
}

/** Upper case with a tail of 100 kB, after a while. */
export async function grow(job, context) {
  return `${await slow(job, context)} `.padEnd(100_000, "-");
}

/** Holds the thread. */
export function block(job) {
  const { name, ms } = parts(job);
  say(`run ${name}`);
  const end = performance.now() + ms;
  while (performance.now() < end) Math.sqrt(end);
  say(`end ${name}`);
  return name.toUpperCase();
}

/** Never returns and does not listen. */
export function never(job, { signal }) {
  const { name } = parts(job);
  say(`run ${name}`);
  signal.addEventListener("abort", () => say(`told ${name}`));
  return new Promise(() => {});
}

/** Never returns at the first try. */
export function neverFirst(job, context) {
  return context.attempt === 1 ? never(job, context) : upper(job);
}

/** Never returns and never yields: only for a worker. */
export function spin(job) {
  say(`run ${parts(job).name}`);
  for (;;) Math.sqrt(threadId);
}

/** Throws. */
export function fail(job) {
  const { name } = parts(job);
  say(`run ${name}`);
  throw Object.assign(new Error(`no ${name} today`), { code: "out_of_stock" });
}

/** Throws, and another try is no use. */
export function failForGood(job) {
  const { name } = parts(job);
  say(`run ${name}`);
  throw Object.assign(new Error(`no ${name} ever`), { code: "discontinued", retry: false });
}

/** Throws at the first two tries. */
export function failTwice(job, { attempt }) {
  const { name } = parts(job);
  say(`run ${name}`);
  if (attempt <= 2) throw new Error(`try ${attempt} failed`);
  return name.toUpperCase();
}

/** The bytes it got. */
export function echo(job) {
  return job.bytes();
}

/** Says how far it has read at each 4 MiB of a job that comes as a stream; the size and hash of it. */
export const digest = {
  stream: true,
  run: async (job) => {
    const hash = createHash("sha256");
    let size = 0;
    for await (const chunk of job.stream()) {
      hash.update(chunk);
      const before = Math.floor(size / 2 ** 22);
      size += chunk.length;
      if (Math.floor(size / 2 ** 22) > before) say(`read ${size}`);
    }
    return { size, hash: hash.digest("hex") };
  },
};

const pattern = Uint8Array.from({ length: 251 * 1024 }, (_, i) => i % 251);

/** As many bytes as asked for, as they are made; `i % 251` at each place. */
export async function* give(job) {
  const size = Number(job.text());
  for (let at = 0; at < size; at += 251 * 1024) {
    const piece = pattern.subarray(0, size - at);
    if (at % (251 * 4096) === 0) say(`gave ${at}`);
    yield piece;
  }
}
