// No-op jobs through BullMQ: `bullmq-jobs.mjs JOBS ROUNDS REDIS CONCURRENCY`. Two workers, a process each.
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { Queue, QueueEvents, Worker } from "bullmq";

const [jobs, rounds, redis, concurrency] = process.argv.slice(2);
const { hostname: host, port } = new URL(redis);
const connection = { host, port: Number(port), maxRetriesPerRequest: null };

if (process.send !== undefined) {
  const worker = new Worker("noop", (job) => Promise.resolve(job.data), {
    connection,
    concurrency: Number(concurrency),
  });
  await worker.waitUntilReady();
  process.send("ready");
  process.once("disconnect", () => process.exit());
} else {
  const workers = [1, 2].map(() => fork(fileURLToPath(import.meta.url), process.argv.slice(2)));
  await Promise.all(workers.map((worker) => once(worker, "message")));
  const queue = new Queue("noop", { connection });
  const events = new QueueEvents("noop", { connection });
  await events.waitUntilReady();
  const job = () => ({ name: "noop", data: "x".repeat(100), opts: { removeOnComplete: 1000 } });
  let completed = 0;
  let wanted = Infinity;
  let done = () => undefined;
  events.on("completed", () => {
    if (++completed >= wanted) done();
  });
  const all = async (count) => {
    completed = 0;
    wanted = count;
    const finished = new Promise((resolve) => (done = resolve));
    for (let left = count; left > 0; left -= 1000)
      await queue.addBulk(Array.from({ length: Math.min(left, 1000) }, job));
    await finished;
  };
  await all(2000);
  const began = performance.now();
  await all(Number(jobs));
  const seconds = (performance.now() - began) / 1000;
  wanted = Infinity;
  const trips = [];
  for (let i = 0; i < Number(rounds); i++) {
    const start = performance.now();
    const { name, data, opts } = job();
    await (await queue.add(name, data, opts)).waitUntilFinished(events);
    trips.push(performance.now() - start);
  }
  console.log(JSON.stringify({ jobs: Number(jobs), solved: Number(jobs), seconds, trips }));
  process.exit();
}
