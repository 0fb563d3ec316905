// The commands as people meet them: what they print, how they end, what they say to mistakes.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Flock, until, type Program } from "../flock.js";

/** Ids differ from run to run. */
const plain = (lines: readonly string[]) => lines.map((line) => line.replace(/(\.[0-9a-f]{2}){4}\b/g, ".ID"));

async function ends(program: Program): Promise<{ code: unknown; out: string[]; err: string[] }> {
  program.child.stdin!.end();
  return { code: await program.ended, out: plain(program.out), err: plain(program.err) };
}

describe.concurrent("help", () => {
  const commands: [string, string][] = [
    ["demo", "See it work: a hub, two computing nodes and a main node on this machine."],
    ["up", "Start a hub; nodes and main nodes connect to it."],
    [
      "main-node",
      "Send jobs and print their solutions. Without jobs, reads them line by line until an empty one.",
    ],
    [
      "computing-node",
      'Answer jobs of the service "upper" with their text in upper case, after 1 to 5 seconds.',
    ],
    ["node", "Compute programs of graphs with this machine, and offer the functions of a module of yours."],
    ["bench", "Measure what this device computes in a second, in the engine that a node would use."],
    ["run", "Run a script that uses flockwork: JavaScript, or TypeScript where tsx is installed."],
    ["graphs", "Show the graphs that a hub has in hand."],
    ["status", "Show a hub's nodes and jobs."],
  ];
  const squeezed = (lines: readonly string[]) => lines.join(" ").replace(/\s+/g, " ");

  test("names the commands", async ({ expect, onTestFinished }) => {
    const { code, out } = await ends(new Flock(onTestFinished).command("--help"));
    expect(code).toBe(0);
    expect(out[0]).toBe("Usage: flockwork [options] [command]");
    for (const [name, what] of commands) {
      expect(squeezed(out)).toContain(what);
      expect(out.filter((line) => line.startsWith(`  ${name} `))).toHaveLength(1);
    }
    for (const line of out) expect(line.length).toBeLessThanOrEqual(80);
  });

  test.for(commands)(
    "of %s says what it does and every option",
    async ([name, what], { expect, onTestFinished }) => {
      const { code, out, err } = await ends(new Flock(onTestFinished).command(name, "--help"));
      expect([code, err]).toEqual([0, []]);
      expect(out[0]).toMatch(new RegExp(`^Usage: flockwork ${name}`));
      expect(squeezed(out)).toContain(what);
      expect(out.join("\n")).toMatch(/-h, --help/);
      for (const line of out) expect(line.length).toBeLessThanOrEqual(80);
    },
  );

  test("is what an empty command gets", async ({ expect, onTestFinished }) => {
    const { code, err } = await ends(new Flock(onTestFinished).command());
    expect([code, err[0]]).toEqual([2, "Usage: flockwork [options] [command]"]);
  });
});

describe.concurrent("a mistake", () => {
  const mistakes: [args: string[], code: number, line: RegExp][] = [
    [["bogus"], 2, /unknown command 'bogus' \(see --help\)/],
    [["up", "--bogus"], 2, /unknown option '--bogus' \(see --help\)/],
    [["up", "--port", "x"], 2, /'x' is invalid.*--port takes a whole number from 0 to 65535/],
    [["up", "--durable", "fire"], 2, /--durable takes one of process, power/],
    [["up", "--log-filter", "["], 1, /--log-filter "\[" is not a regular expression/],
    [["computing-node", "0"], 2, /n takes a whole number from 1/],
    [["main-node", "--attempts", "0", "x"], 2, /--attempts takes a whole number from 1 to 1000/],
    [["node", "--no-programs"], 1, /--no-programs leaves this node nothing to do: give --services/],
    [["node", "--services", "./none.js"], 1, /--services \.\/none\.js: there is no such file/],
    [
      ["status", "--hub", "ws://127.0.0.1:1"],
      1,
      /No hub answers at ws:\/\/127\.0\.0\.1:1\. Start one there with/,
    ],
    [["main-node", "--hub", "over there", "x"], 1, /"over there" can not be used; write it like ws:/],
    [["main-node", "--session", "", "x"], 1, /session's name has 0 characters/],
  ];
  test.for(mistakes)("%j gets one line", async ([args, code, line], { expect, onTestFinished }) => {
    const ended = await ends(new Flock(onTestFinished).command(...args));
    expect([ended.code, ended.out]).toEqual([code, []]);
    expect(ended.err).toHaveLength(1);
    expect(ended.err[0]).toMatch(line);
    expect(ended.err[0]).toMatch(/^flockwork: /);
  });

  test("with a port or a data folder in use gets one line", async ({ expect, onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const port = await ends(
      flock.command("up", "--port", String(hub.port), "--data", join(flock.folder, "other")),
    );
    expect([port.code, port.err.length]).toEqual([1, 1]);
    expect(port.err[0]).toMatch(/Port \d+ on 127\.0\.0\.1 is in use; stop what listens there/);
    const data = await ends(flock.command("up", "--port", "0", "--data", join(flock.folder, "data")));
    expect([data.code, data.err.length]).toEqual([1, 1]);
    expect(data.err[0]).toMatch(/another hub|in use/i);
    expect(data.err[0]).toContain(hub.url);
  });

  test("in a module of services gets one line", async ({ expect, onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const file = (name: string, text: string) => writeFileSync(join(flock.folder, name), text);
    file("empty.mjs", "export const nothing = 1;");
    file("broken.mjs", "throw new Error('needs a key');");
    const empty = await ends(flock.command("node", "--services", "./empty.mjs"));
    expect([empty.code, empty.err.length]).toEqual([1, 1]);
    expect(empty.err[0]).toMatch(/exports no function; write for instance/);
    const broken = await ends(flock.command("node", "--services", "./broken.mjs"));
    expect([broken.code, broken.err.length]).toEqual([1, 1]);
    expect(broken.err[0]).toMatch(/can not be loaded: needs a key/);
  });
});

describe.concurrent("jobs", () => {
  test("are sent and answered in AML-IP's words; computing-node 2 answers two and leaves", async ({
    expect,
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    // Start order does not matter: the jobs wait for the node.
    const main = flock.command("main-node", "--hub", hub.url, "first_job", "second job");
    await main.said(/sending task <second job>/);
    const node = flock.command("computing-node", "2", "--hub", hub.url, "--delay", "0");
    expect(await ends(main)).toEqual({
      code: 0,
      err: [],
      out: [
        "Main Node AMLMainNode.ID ready.",
        "Main Node AMLMainNode.ID sending task <first_job>.",
        "Main Node AMLMainNode.ID sending task <second job>.",
        "Main Node received solution from AMLComputingNode.ID for job <first_job> => <FIRST_JOB>.",
        "Main Node received solution from AMLComputingNode.ID for job <second job> => <SECOND JOB>.",
        "Main Node AMLMainNode.ID closing.",
      ],
    });
    expect(await ends(node)).toEqual({
      code: 0,
      err: [],
      out: [
        "Computing Node ID{AMLComputingNode.ID} computing 2 tasks.",
        " Received Job: <first_job>. Processing...",
        " Answering Solution: <FIRST_JOB>.",
        "Computing Node ID{AMLComputingNode.ID} answered task. 1 remaining.",
        " Received Job: <second job>. Processing...",
        " Answering Solution: <SECOND JOB>.",
        "Computing Node ID{AMLComputingNode.ID} answered task. 0 remaining.",
        "Computing Node ID{AMLComputingNode.ID} closing.",
      ],
    });
  });

  test("are read line by line until an empty one, each answered as it comes", async ({
    expect,
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const node = flock.command("computing-node", "--hub", hub.url, "--delay", "0");
    await node.said(/ready\.$/);
    const main = flock.command("main-node", "--hub", hub.url);
    main.child.stdin!.write("one\n");
    await main.said(/=> <ONE>/);
    main.child.stdin!.write("two words\n\nthree\n");
    await main.said(/=> <TWO WORDS>/);
    expect(await main.ended).toBe(0);
    expect(main.out.some((line) => line.includes("three"))).toBe(false);
  });

  test("that nobody can do end with one line that says who can do what", async ({
    expect,
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const node = flock.command("computing-node", "--hub", hub.url, "--delay", "0");
    await node.said(/ready\.$/);
    const { code, err } = await ends(flock.command("main-node", "--hub", hub.url, "-s", "lower", "x"));
    expect([code, err]).toEqual([
      1,
      [
        'flockwork: No connected node offers "lower"; offered: upper. Name another with --service, or wait for one with --wait.',
      ],
    ]);
    const late = await ends(
      flock.command("main-node", "--hub", hub.url, "-s", "lower", "--wait", "--deadline", "200", "x"),
    );
    expect(late.code).toBe(1);
    expect(late.out.join("\n")).toMatch(/received no solution for job <x>: .*\[deadline\]/);
  });

  test("wait in a session for the main node that comes back", async ({ expect, onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const args = ["main-node", "--hub", hub.url, "--session", "nightly"];
    const first = flock.command(...args, "overnight");
    await first.said(/sending task/);
    await until(
      "the job is taken",
      () => hub.jobs(),
      ({ waiting }) => waiting === 1,
    );
    first.signal("SIGINT");
    expect(await first.ended).toBe(130);
    const node = flock.command("computing-node", "1", "--hub", hub.url, "--delay", "0");
    expect(await node.ended).toBe(0);
    const second = await ends(flock.command(...args));
    expect(second.code).toBe(0);
    expect(second.out).toContain("Main Node received solution from AMLComputingNode.ID => <OVERNIGHT>.");
  });

  test("run in the functions of a module", async ({ expect, onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    writeFileSync(
      join(flock.folder, "mine.mjs"),
      `export function shout(job) { return job.text() + "!"; }
       export const boom = async () => { throw Object.assign(new Error("kaputt"), { code: "broken" }); };
       export const answer = 42;`,
    );
    const node = flock.command("node", "--services", "./mine.mjs", "--hub", hub.url, "-n", "mine");
    await node.said(/offers shout, boom\.|offers boom, shout\./);
    const shout = await ends(flock.command("main-node", "--hub", hub.url, "-s", "shout", "hey", "ho"));
    expect(shout.code).toBe(0);
    expect(shout.out.filter((line) => line.includes("=>"))).toEqual([
      "Main Node received solution from mine.ID for job <hey> => <hey!>.",
      "Main Node received solution from mine.ID for job <ho> => <ho!>.",
    ]);
    const boom = await ends(
      flock.command("main-node", "--hub", hub.url, "-s", "boom", "--attempts", "2", "x"),
    );
    expect(boom.code).toBe(1);
    expect(boom.out.join("\n")).toMatch(/no solution for job <x>: .*after 2 attempts.*kaputt \[broken\]/);
    node.signal("SIGINT");
    expect(await node.ended).toBe(0);
  });
});

describe.concurrent("Ctrl-C", () => {
  async function busy(onTestFinished: ConstructorParameters<typeof Flock>[0], delay: string) {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const node = flock.command("computing-node", "--hub", hub.url, "--delay", delay);
    const main = await flock.main(hub.url);
    const batch = main.submit("upper", ["a", "b"]);
    await node.said(/Received Job: <a>/);
    return { flock, hub, node, batch };
  }

  test("lets a computing node finish its job; what waits goes elsewhere", async ({
    expect,
    onTestFinished,
  }) => {
    const { flock, hub, node, batch } = await busy(onTestFinished, "700");
    node.signal("SIGINT");
    expect(await node.ended).toBe(0);
    expect(node.out.filter((line) => line.startsWith(" "))).toEqual([
      " Received Job: <a>. Processing...",
      " Answering Solution: <A>.",
    ]);
    flock.command("computing-node", "--hub", hub.url, "--delay", "0");
    const texts: string[] = [];
    for await (const result of batch) texts.push(result.ok ? result.text() : result.error.message);
    expect(texts).toEqual(["A", "B"]);
  });

  test("pressed twice aborts the job, which runs elsewhere", async ({ expect, onTestFinished }) => {
    const { flock, hub, node, batch } = await busy(onTestFinished, "600000");
    node.signal("SIGINT");
    await node.warned(/press Ctrl-C again to abort it/);
    node.signal("SIGINT");
    expect(await node.ended).toBe(0);
    expect(node.out.some((line) => line.includes("Answering"))).toBe(false);
    flock.command("computing-node", "--hub", hub.url, "--delay", "0");
    const texts: string[] = [];
    for await (const result of batch) texts.push(result.ok ? result.text() : result.error.message);
    expect(texts.sort()).toEqual(["A", "B"]);
  });

  test("ends a hub and a waiting node at once", async ({ expect, onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    hub.program.signal("SIGINT");
    expect(await hub.program.ended).toBe(0);
    const node = flock.command("computing-node", "--hub", hub.url);
    expect(await node.warned(/No hub answers/)).toContain(`No hub answers at ${hub.url}`);
    node.signal("SIGINT");
    expect(await node.ended).toBe(130);
    expect(node.err).toHaveLength(1);
  });
});

describe.concurrent("status", () => {
  test("fits 80 columns, whatever nodes are called", async ({ expect, onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    expect((await ends(flock.command("status", "--hub", hub.url))).out.at(-1)).toMatch(/No node has joined/);
    const name = "a-name-of-twenty-eight-bytes";
    await Promise.all([
      flock.worker(hub.url, { name, domain: "a-rather-long-domain-name", slots: 12 }),
      flock.worker(hub.url, { name: "b" }),
    ]);
    const main = await flock.main(hub.url, {
      session: "a-session-with-a-long-name-that-somebody-chose-for-it-in-the-evening",
    });
    void main.submit("nobody", ["x"]);
    await until(
      "the job is there",
      () => hub.jobs(),
      ({ waiting }) => waiting === 1,
    );
    const { code, out } = await ends(flock.command("status", "--hub", hub.url));
    expect(code).toBe(0);
    expect(out).toContain("Nodes 2");
    expect(out).toContain("Jobs  1 waiting, 0 running, 0 solved, 0 failed");
    expect(out.some((line) => line.startsWith(name))).toBe(true);
    for (const line of out) expect(line.length).toBeLessThanOrEqual(80);
    const json = JSON.parse((await ends(flock.command("status", "--hub", hub.url, "--json"))).out.join("\n"));
    expect(json).toMatchObject({ hub: hub.url, jobs: { waiting: 1 } });
  });
});

test("the demo runs from end to end, and leaves nothing behind", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  const { code, out, err } = await ends(flock.commandIn({ TMPDIR: flock.folder }, "demo", "--jobs", "500"));
  expect([code, err]).toEqual([0, []]);
  expect(out[0]).toMatch(/^1\. A hub on ws:.*two computing nodes, one main node\.$/);
  expect(out[1]).toMatch(/^ {3}first_job => FIRST_JOB {2}computed by (anna|ben)\.ID$/);
  expect(out[2]).toMatch(/^ {3}second job => SECOND JOB {2}computed by (anna|ben)\.ID$/);
  expect(out.join("\n")).toMatch(/500 solved in \d+ ms: [\d,]+ jobs\/s/);
  expect(out.join("\n")).toMatch(/carl was killed; \d+ ms later anna\.ID had solved its job/);
  const { readdirSync } = await import("node:fs");
  expect(readdirSync(flock.folder).filter((entry) => entry.startsWith("flockwork-demo"))).toEqual([]);
});
