// What commands show on a terminal and not elsewhere: colour, a progress bar, a prompt. The terminal is one of `script`
// (util-linux).
import { execFileSync, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { create } from "qrcode";
import { expect, test } from "vitest";
import { Flock, until } from "../flock.js";

const CLI = fileURLToPath(new URL("../../dist/cli/main.js", import.meta.url));
const ESC = "\u001b";

function hasScript(): boolean {
  try {
    return execFileSync("script", ["--version"], { encoding: "utf8" }).includes("util-linux");
  } catch {
    return false;
  }
}

const there = hasScript();
if (!there) process.stderr.write("terminal tests skip: there is no `script` of util-linux here\n");

interface Terminal {
  /** Everything that was written to it so far. */
  shown(): string;
  type(text: string): void;
  readonly ended: Promise<number | null>;
}

function terminal(flock: Flock, args: readonly string[], env: Record<string, string> = {}): Terminal {
  const inherited = { ...process.env, TERM: "xterm", FLOCKWORK_DATA: `${flock.folder}/user` };
  delete (inherited as Record<string, unknown>)["NO_COLOR"];
  // `script` gives the command to a shell. One that waits for it (dash does) takes Ctrl-C too and ends with 130 whatever the
  // command says, so the command takes the shell's place.
  const command = `exec ${[process.execPath, CLI, ...args].map((arg) => `'${arg}'`).join(" ")}`;
  const child = spawn("script", ["-qec", command, "/dev/null"], { env: { ...inherited, ...env } });
  flock.atEnd(() => void child.kill("SIGKILL"));
  let shown = "";
  child.stdout.on("data", (data: Buffer) => (shown += data.toString()));
  return {
    shown: () => shown,
    type: (text) => child.stdin.write(text),
    ended: new Promise((resolve) => child.once("close", resolve)),
  };
}

async function flockWithNode(onTestFinished: ConstructorParameters<typeof Flock>[0]) {
  const flock = new Flock(onTestFinished);
  const hub = await flock.hub();
  await flock.worker(hub.url, { services: ["upper"] });
  return { flock, hub };
}

test.skipIf(!there)(
  "a long batch shows its progress, and the bar is gone at the end",
  async ({ onTestFinished }) => {
    const { flock, hub } = await flockWithNode(onTestFinished);
    const jobs = Array.from({ length: 300 }, (_, i) => `job${i}`);
    const screen = terminal(flock, ["main-node", "--hub", hub.url, ...jobs]);
    expect(await screen.ended).toBe(0);
    const shown = screen.shown();
    expect(shown).toMatch(/\[#*\.*\] \d+\/300 {2}\d+\/s/);
    expect(shown.match(/=> </g)).toHaveLength(300);
    expect(shown.trimEnd().split("\r\n").at(-1)).toMatch(/closing\.$/);
    // With a bar there is no line for each job that is sent.
    expect(shown).not.toContain("sending task");
  },
);

test.skipIf(!there)("colour is there, and not where NO_COLOR is set", async ({ onTestFinished }) => {
  const { flock, hub } = await flockWithNode(onTestFinished);
  const args = ["main-node", "--hub", hub.url, "x"];
  const [bright, plain] = [terminal(flock, args), terminal(flock, args, { NO_COLOR: "1" })];
  expect([await bright.ended, await plain.ended]).toEqual([0, 0]);
  expect(bright.shown()).toContain(`<${ESC}[32mX${ESC}[39m>`);
  expect(plain.shown()).toContain("=> <X>");
  expect(plain.shown()).not.toContain(`${ESC}[32m`);
});

test.skipIf(!there)("jobs are asked for line by line", async ({ onTestFinished }) => {
  const { flock, hub } = await flockWithNode(onTestFinished);
  const screen = terminal(flock, ["main-node", "--hub", hub.url], { NO_COLOR: "1" });
  const shows = (text: string) =>
    until(
      text,
      () => screen.shown(),
      (shown) => shown.includes(text),
    );
  await shows("Please enter a string to create a job. Press enter to finish:");
  await shows("> ");
  screen.type("first job\r");
  await shows("=> <FIRST JOB>");
  screen.type("\r");
  expect(await screen.ended).toBe(0);
});

test.skipIf(!there)(
  "Ctrl-C is a key: a computing node says what it waits for",
  async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub();
    const screen = terminal(flock, ["computing-node", "--hub", hub.url, "--delay", "600000"]);
    await until(
      "it is ready",
      () => screen.shown(),
      (shown) => shown.includes("ready."),
    );
    const main = await flock.main(hub.url);
    void main.submit("upper", ["x"]);
    await until(
      "it runs",
      () => screen.shown(),
      (shown) => shown.includes("Processing"),
    );
    screen.type("\u0003");
    await until(
      "it tells",
      () => screen.shown(),
      (shown) => shown.includes("press Ctrl-C again to abort it"),
    );
    screen.type("\u0003");
    expect(await screen.ended).toBe(0);
  },
);

test.skipIf(!there)(
  "the link for computing nodes is a QR code that reads as the link",
  async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const screen = terminal(flock, ["up", "--port", "0", "--ephemeral", "--require-token"]);
    await until(
      "the links",
      () => screen.shown(),
      (shown) => shown.includes("pass it on like a key"),
    );
    const lines = screen.shown().split("\r\n");
    const link = lines
      .map((line) => /To add a computing node: .*?(http\S+?)\u001b/.exec(line)?.[1])
      .find(Boolean)!;
    const code = lines.filter((line) => line.startsWith(`${ESC}[30;107m`)).map((line) => line.slice(9, -4));
    for (const line of code) expect(line.length).toBeLessThanOrEqual(80);
    // Each character is two modules, one above the other.
    const dark = { " ": [0, 0], "▀": [1, 0], "▄": [0, 1], "█": [1, 1] } as Record<string, number[]>;
    const rows = code.flatMap((line) => [0, 1].map((half) => [...line].map((char) => dark[char]![half]!)));
    const { size, data } = create(link).modules;
    const quiet = Array.from({ length: size + 4 }, () => 0);
    const expected = Array.from({ length: size }, (_, y) => [
      0,
      0,
      ...Array.from({ length: size }, (_, x) => data[y * size + x]!),
      0,
      0,
    ]);
    expect(rows.slice(0, size + 4).map((row) => row.join(""))).toEqual(
      [quiet, quiet, ...expected, quiet, quiet].map((row) => row.join("")),
    );
    // Ctrl-C.
    screen.type("\u0003");
    expect(await screen.ended).toBe(0);
  },
);
