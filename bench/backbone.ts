// What the backbone costs, as JSON lines: commits a second, bytes a second, latency, and how long the event loop stood.
// usage: tsx bench/backbone.ts [directory] [process|power]

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { openMemory, openSqlite, readBlob, type Backbone, type Epoch } from "../src/backbone/index.js";

const [parent = tmpdir(), durable = "process"] = process.argv.slice(2);
const us = (ms: number): number => Math.round(ms * 10_000) / 10;

function report(figure: string, values: Record<string, number | string>): void {
  console.log(JSON.stringify({ figure, ...values }));
}

function quantiles(samples: number[]): { p50_us: number; p99_us: number; max_us: number } {
  samples.sort((a, b) => a - b);
  const at = (share: number): number => us(samples[Math.floor((samples.length - 1) * share)]!);
  return { p50_us: at(0.5), p99_us: at(0.99), max_us: at(1) };
}

/** Appends one group after the other; what a group costs and how long each waits. */
async function appends(
  store: Backbone,
  epoch: Epoch,
  figure: string,
  size: number,
  count: number,
  keep: number,
) {
  const record = new Uint8Array(size).fill(7);
  const samples: number[] = [];
  const cpu = process.cpuUsage();
  const began = performance.now();
  for (let i = 0; i < count; i++) {
    const asked = performance.now();
    const lsn = await store.journal.append(epoch, [record]);
    samples.push(performance.now() - asked);
    if (i % keep === keep - 1) await store.journal.compact(epoch, lsn);
  }
  const seconds = (performance.now() - began) / 1000;
  const used = process.cpuUsage(cpu);
  report(figure, {
    commits_per_s: Math.round(count / seconds),
    MB_per_s: Math.round((count * size) / seconds / 1e6),
    cpu_us_per_commit: Math.round((used.user + used.system) / count),
    ...quantiles(samples),
  });
}

async function blobs(store: Backbone, figure: string, size: number, count: number): Promise<void> {
  const data = new Uint8Array(size);
  crypto.getRandomValues(data.subarray(0, 65_536));
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let put = 0;
  let got = 0;
  for (let i = 0; i < count; i++) {
    data[0] = i;
    data[1] = i >> 8;
    let began = performance.now();
    const { hash } = await store.blobs.put(data);
    put += performance.now() - began;
    began = performance.now();
    await readBlob((await store.blobs.get(hash))!);
    got += performance.now() - began;
    await store.blobs.delete(hash);
  }
  delay.disable();
  report(figure, {
    put_MB_per_s: Math.round((size * count) / put / 1000),
    put_us: us(put / count),
    get_MB_per_s: Math.round((size * count) / got / 1000),
    loop_delay_max_ms: Math.round(delay.max / 1e5) / 10,
  });
}

async function measure(name: string, store: Backbone): Promise<void> {
  const epoch = await store.journal.claim("bench");
  await appends(store, epoch, `${name}: append 200 B`, 200, durable === "power" ? 2000 : 50_000, 1000);
  await appends(store, epoch, `${name}: append 64 KiB`, 65_536, 4000, 100);
  await appends(store, epoch, `${name}: append 1 MiB`, 2 ** 20, 400, 20);
  await store.blobs.put(new Uint8Array(1)); // starts the thread
  await blobs(store, `${name}: blob 4 KiB`, 4096, 300);
  await blobs(store, `${name}: blob 64 MiB`, 64 * 2 ** 20, 6);
  await store.close();
}

const directory = await mkdtemp(join(parent, "bench-backbone-"));
try {
  await measure("memory", openMemory());
  await measure(
    `sqlite, durable=${durable}`,
    await openSqlite(directory, { durable: durable as "process" | "power" }),
  );
} finally {
  await rm(directory, { recursive: true });
}
