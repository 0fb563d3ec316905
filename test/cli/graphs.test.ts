// The commands for graphs: a node that computes, a script that uses it, what a hub has in hand, what this device can do.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { Flock } from "../flock.js";

const SCRIPT = `
import { connect } from "flockwork";
const flock = await connect();
const graph = flock.graph({ name: "script" });
const sum = await graph.value(graph.tensor([1, 2, 3]).add(graph.tensor([5, 22, 7])));
console.log(String(sum), process.argv.slice(2).join(" "));
await graph.end();
await flock.close();
`;

describe("flockwork run", () => {
  it("runs a script on a node's engine, in JavaScript and in TypeScript, with its own arguments", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const node = flock.command("node", "--hub", hub.url, "--slots", "1");
    await node.said(/computes programs: 1 x onnxruntime-\w+/, 60_000);
    for (const [name, text] of [
      ["script.mjs", SCRIPT],
      ["script.mts", SCRIPT.replace("const sum", "const sum: unknown")],
    ] as const) {
      writeFileSync(join(flock.folder, name), text);
      const run = flock.command("run", "--hub", hub.url, name, "--own", "x");
      await run.said(/^Tensor float32 \[3\] 6 24 10 --own x$/, 60_000);
      expect(await run.ended).toBe(0);
    }
    const graphs = flock.command("graphs", "--hub", hub.url);
    await graphs.said(/No graph is open/);
    expect(await graphs.ended).toBe(0);
  });

  it("says what is wrong with a script, and ends as it does", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    writeFileSync(join(flock.folder, "four.mjs"), "process.exit(4)");
    writeFileSync(join(flock.folder, "page.html"), "");
    writeFileSync(join(flock.folder, "module.ts"), "await 1");
    expect(await flock.command("run", "four.mjs").ended).toBe(4);
    for (const [script, reason] of [
      ["gone.mjs", /gone.mjs: there is no such file/],
      ["page.html", /page.html is no script/],
      ["module.ts", /call it \.mts/],
    ] as const) {
      const run = flock.command("run", script);
      await run.warned(reason);
      expect(await run.ended).toBe(1);
    }
  });
});

describe("flockwork bench", () => {
  it("prints this device's figures within 80 columns", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const bench = flock.command("bench");
    expect(await bench.ended).toBe(0);
    const said = bench.out.join("\n");
    for (const row of [
      /^Engine +onnxruntime/m,
      /^Matrix products +\S+ GFLOP\/s$/m,
      /^A call +\d+ microseconds$/m,
    ])
      expect(said).toMatch(row);
    for (const line of bench.out) expect(line.length).toBeLessThanOrEqual(80);
  });
});
