// What a job may ask of the node that runs it, and the wishes that only the scheduler can fulfil.
import { expect, test } from "vitest";
import { ComputingNode, MainNode, startHub, type ComputingNodeOptions } from "../../dist/flock/index.node.js";

type Finish = (fn: () => Promise<void>) => void;

async function flock(finish: Finish, nodes: Omit<ComputingNodeOptions, "hub">[]) {
  const hub = await startHub({ port: 0, log: { level: "silent" } });
  finish(() => hub.close());
  const joined = [];
  for (const options of nodes) {
    const { token: _token, ...rest } = options;
    const node = await ComputingNode.join({ ...rest, hub: hub.url });
    finish(() => node.abort());
    joined.push(node);
  }
  const main = await MainNode.join({ hub: hub.url });
  finish(() => main.close());
  return { main, joined };
}

test("a job that names labels and memory runs only where both are", async ({ onTestFinished }) => {
  const services = { echo: (job: { text(): string }) => job.text() };
  const { main, joined } = await flock(onTestFinished, [
    { name: "plain", slots: 4, services },
    { name: "small", slots: 4, services, labels: ["gpu"], memoryMb: 1024 },
    { name: "large", services, labels: ["gpu", "lab"], memoryMb: 16_384 },
  ]);
  const large = joined[2]!.id;
  const options = { needs: { labels: ["gpu"], memoryMb: 8192 } };
  for await (const result of main.submit(
    "echo",
    Array.from({ length: 20 }, (_, i) => `${i}`),
    options,
  ))
    expect(result.ok && result.node).toBe(large);
  const waits = main.request("echo", "nobody has it", { needs: { labels: ["tpu"] }, deadlineMs: 300 });
  await expect(waits).rejects.toMatchObject({ code: "deadline" });
});

test("a deadline that can not be met any more fails the job before it, when asked", async ({
  onTestFinished,
}) => {
  const services = { slow: () => new Promise((resolve) => setTimeout(() => resolve("done"), 400)) };
  const { main } = await flock(onTestFinished, [{ name: "slow", services }]);
  // Three runs tell the scheduler how long one takes.
  for (let i = 0; i < 3; i++) await main.request("slow", "");
  const began = performance.now();
  const late = main.submit("slow", ["", "", "", "", "", ""], { deadlineMs: 1500, failEarly: true });
  let failed = 0;
  for await (const result of late)
    if (!result.ok) {
      failed++;
      expect(result.error.code).toBe("deadline");
      expect(performance.now() - began).toBeLessThan(1490);
    }
  expect(failed).toBeGreaterThan(0);
});

test("an attempt that takes far longer than others did is tried elsewhere", async ({ onTestFinished }) => {
  let calls = 0;
  const stuck = (job: { text(): string }, { signal }: { signal: AbortSignal }) =>
    job.text() === "trap" && calls++ === 0
      ? new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("stopped"))))
      : "fine";
  const { main } = await flock(onTestFinished, [
    { name: "one", services: { work: stuck } },
    { name: "two", services: { work: stuck } },
  ]);
  for (let i = 0; i < 20; i++) await main.request("work", "easy");
  const solution = await main.request("work", "trap", { attemptTimeoutMs: "auto" });
  expect(solution.text()).toBe("fine");
  expect(calls).toBe(2);
}, 60_000);
