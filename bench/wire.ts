// What the wire costs: CPU time of frames and schema checks, as JSON lines. Figures, not tests.
import { checkMessage, decodeFrame, encodeFrame, packPayloads, unpackPayloads } from "../src/wire/index.js";

const JOBS = 1000;
const text = new TextEncoder();
const jobs = Array.from({ length: JOBS }, (_, i) => ({
  kind: 1,
  bytes: text.encode(`job number ${i} `.padEnd(100, ".")),
}));

/** Best CPU time of one call over several rounds, in microseconds: the least disturbed round. */
function best(fn: () => unknown, calls: number): number {
  let least = Infinity;
  for (let round = 0; round < 20; round++) {
    const before = process.cpuUsage();
    for (let i = 0; i < calls; i++) fn();
    const { user, system } = process.cpuUsage(before);
    least = Math.min(least, (user + system) / calls);
  }
  return least;
}

function report(what: string, micros: number, per: number): void {
  const line = {
    bench: "wire",
    what,
    us: round(micros),
    ns_per_item: round((micros * 1000) / per),
    items: per,
  };
  console.log(JSON.stringify(line));
}

function round(x: number): number {
  return Math.round(x * 1000) / 1000;
}

const submit = { t: "submit", seq: 0, service: "upper", priority: 1, ...packPayloads(jobs) };
const submitFrame = encodeFrame([submit]);
report(
  "pack 1,000 payloads of 100 bytes",
  best(() => packPayloads(jobs), 200),
  JOBS,
);
report(
  "unpack them",
  best(() => unpackPayloads(submit), 200),
  JOBS,
);
report(
  "encode submit of 1,000 jobs",
  best(() => encodeFrame([submit]), 500),
  JOBS,
);
report(
  "decode it",
  best(() => decodeFrame(submitFrame), 2000),
  JOBS,
);
report(
  "decode and check it",
  best(() => checkMessage(decodeFrame(submitFrame)[0], "client"), 2000),
  JOBS,
);
report(
  "check it",
  best(() => checkMessage(submit, "client"), 5000),
  JOBS,
);

const one = { ...submit, ...packPayloads(jobs.slice(0, 1)) };
const oneFrame = encodeFrame([one]);
report(
  "encode submit of 1 job",
  best(() => encodeFrame([one]), 5000),
  1,
);
report(
  "decode and check it",
  best(() => checkMessage(decodeFrame(oneFrame)[0], "client"), 5000),
  1,
);

const failures = Array.from({ length: JOBS }, (_, i) => ({
  t: "failed",
  task: i,
  attempt: 1,
  code: "service_error",
  message: "division by zero",
  retry: true,
}));
const failuresFrame = encodeFrame(failures);
report(
  "encode 1,000 failed",
  best(() => encodeFrame(failures), 50),
  JOBS,
);
report(
  "decode and check 1,000 failed",
  best(() => decodeFrame(failuresFrame).map((m) => checkMessage(m, "node")), 50),
  JOBS,
);

const MIB = 1 << 20;
const large = { ...submit, ...packPayloads([{ kind: 0, bytes: new Uint8Array(16 * MIB) }]) };
report(
  "encode submit of 16 MiB",
  best(() => encodeFrame([large]), 5),
  16 * MIB,
);
