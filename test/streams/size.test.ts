// Payloads of any size: what comes is what was sent, nobody holds much of it, and others are served meanwhile.
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Readable } from "node:stream";
import { expect, it } from "vitest";
import { Flock, until, type Program } from "../flock.js";

const PORTER = fileURLToPath(new URL("./porter.mjs", import.meta.url));
const MiB = 2 ** 20;

function noise(size: number): Uint8Array<ArrayBuffer> {
  const data = new Uint8Array(size);
  for (let i = 0, x = size + 1; i < size; i++) data[i] = x = (Math.imul(x, 1103515245) + 12345) >>> 8;
  return data;
}

const sha256 = (data: Uint8Array) => createHash("sha256").update(data).digest("hex");

/** The most memory a process has had, in bytes. */
function peak({ pid }: Program): number {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) * 1024;
}

it("bring large jobs and solutions unchanged, whole, as streams and in batches", async ({
  onTestFinished,
}) => {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub();
  await flock.worker(hub.url, { services: ["echo", "digest", "upper"] });
  const main = await flock.main(hub.url);
  const large = noise(9 * MiB + 5);
  expect(Buffer.compare((await main.request("echo", large)).bytes(), large)).toBe(0);
  const asStream = await main.request("digest", Readable.from([large.subarray(0, MiB), large.subarray(MiB)]));
  expect(asStream.json()).toEqual({ size: large.length, hash: sha256(large) });
  const page = await main.request("digest", new Blob([large]).stream());
  expect(page.json()).toEqual({ size: large.length, hash: sha256(large) });
  const text = "äbc".repeat(200_000);
  const sizes: string[] = [];
  for await (const result of main.submit("upper", ["small", text, "tiny"]).inOrder())
    sizes.push(result.ok ? result.text().slice(0, 9) : result.error.message);
  expect(sizes).toEqual(["SMALL", "ÄBCÄBCÄBC", "TINY"]);
  // The solution of one, which lies at the hub, is the input of another.
  const first = main.request("echo", large);
  const second = await main.request("digest", "with an input", { inputs: [first] });
  expect(second.json()).toMatchObject({ size: 13 });
  await first;
  await until(
    "everything acknowledged",
    () => hub.jobs(),
    (jobs) => jobs.sessions.every((s) => s.unacknowledged === 0),
  );
});

it("leave a large solution at the hub until it is read or released", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub();
  await flock.worker(hub.url, { services: ["give"] });
  const main = await flock.main(hub.url);
  const size = 65 * MiB;
  const solution = await main.request("give", String(size));
  expect([solution.loaded, solution.size]).toEqual([false, size]);
  expect(() => solution.bytes()).toThrow(expect.objectContaining({ code: "too_large" }));
  expect((await hub.jobs()).sessions[0]!.unacknowledged).toBe(1);
  const hash = createHash("sha256");
  for await (const chunk of solution.stream()) hash.update(chunk);
  const pattern = Uint8Array.from({ length: size }, (_, i) => i % 251);
  expect(hash.digest("hex")).toBe(sha256(pattern));
  const nothingLeft = () =>
    until(
      "acknowledged",
      () => hub.jobs(),
      (jobs) => jobs.sessions[0]!.unacknowledged === 0,
    );
  await nothingLeft();
  (await main.request("give", String(size))).release();
  await nothingLeft();
});

it("pass through processes that stay small, while small jobs are served", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  for (const ephemeral of [false, true]) {
    const hub = await flock.hub({ ephemeral });
    const large = await flock.worker(hub.url, { services: ["digest", "give"] });
    await flock.worker(hub.url, { services: ["upper"] });
    const other = await flock.main(hub.url);
    const total = 256 * MiB;
    const porter = flock.script(PORTER, hub.url, String(total));
    let over = false;
    const transfer = porter.said(/^back/, 100_000).then((line) => {
      over = true;
      return line;
    });
    let served = 0;
    while (!over) {
      await other.request("upper", "small");
      served++;
    }
    expect([await porter.said(/^sent/), await transfer]).toEqual([`sent ${total}`, `back ${total}`]);
    // Were they to wait for the transfers, there would be two or three.
    expect(served).toBeGreaterThan(20);
    const peaks = { hub: peak(hub.program), node: peak(large.program), main: peak(porter) };
    expect(Math.max(...Object.values(peaks)), JSON.stringify(peaks)).toBeLessThan(300e6);
    await other.close();
    for (const program of [porter, large.program, hub.program]) await program.kill();
  }
});
