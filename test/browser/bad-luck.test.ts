// What bad luck gets of a tab that takes part: hidden, asleep, cut off, too large a task, storage refused. Each time the run ends with
// the same result, and the page says in one sentence what happened.
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ComputingNode, connect, type Flock as Client } from "../../dist/flock/index.node.js";
import { Flock, until, type HubProcess } from "../flock.js";
import { computeChains, computeLong, computeSquare } from "./computations.js";
import { chromiumPath, openUntouched, type UntouchedBrowser } from "./chromium.js";
import { AWAY, openPage, participate, phase, tabsOf, webOf } from "./open-page.js";

const executablePath = chromiumPath();
if (executablePath === undefined)
  process.stderr.write("bad luck tests skip: neither chromium nor google-chrome is installed\n");

const TOO_LARGE = /needed more memory than this tab has for it.*the limit "memory" is/;
const SLEPT = /slept for \d.*; others could take over what it had begun, and it goes on now\.$/;
const NO_MEMORY = /needed more memory than this tab has for it.*bad_alloc/;

/** What a page says has happened, and when. */
const happened = (page: Page) =>
  page.locator(".happened, .before li").evaluateAll((all) =>
    all.map((each) => ({
      at: Date.parse(each.querySelector("time")!.dateTime),
      text: each.textContent ?? "",
    })),
  );

describe.skipIf(executablePath === undefined)("a tab", () => {
  let opened: UntouchedBrowser;
  let browser: BrowserContext;
  let ends: () => Promise<void>;
  let shared: Flock;
  let hub: HubProcess;
  let client: Client;
  let serial: { long: number[]; chains: number[] };

  beforeAll(async () => {
    shared = new Flock((end) => (ends = end));
    hub = await shared.hub({ ephemeral: true });
    client = await connect({ hub: hub.url });
    shared.atEnd(() => client.close());
    const alone = await ComputingNode.join({ hub: hub.url, name: "alone" });
    serial = { long: await computeLong(client), chains: await computeChains(client) };
    await alone.close();
    opened = await openUntouched(executablePath!, {
      // A device on which WebAssembly gets a quarter of a GiB.
      args: ["--js-flags=--wasm-max-mem-pages=4096"],
    });
    browser = opened.browser;
  });
  afterAll(async () => {
    await opened?.close();
    await ends?.();
  });

  const computing = (at = hub) =>
    until(
      "the tab computes",
      async () => (await tabsOf(at))[0]?.running ?? 0,
      (n) => n > 0,
    );
  const stateIs = (id: string, wanted: string) =>
    until(
      `${id} is ${wanted}`,
      async () => (await hub.nodes()).find((node) => node.id === id)?.state,
      (state) => state === wanted,
    );
  const says = (page: Page, sentence: RegExp) =>
    page.getByText(sentence).first().waitFor({ timeout: 60_000 });

  test("out of sight goes on computing, or holds still where that is wished", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const page = await participate(flock, browser, hub);
    const { id } = (await tabsOf(hub))[0]!;
    const hide = async () => {
      const other = await browser.newPage();
      await page.waitForFunction(() => document.visibilityState === "hidden");
      return () => other.close();
    };
    const passed = (ms: number, since = Date.now()) =>
      until(
        "a while passes",
        () => Date.now() - since,
        (ago) => ago >= ms,
      );
    let show = await hide();
    const enough = passed(5500);
    expect(await computeChains(client)).toEqual(serial.chains);
    expect(await computeLong(client)).toEqual(serial.long);
    await enough;
    expect(await page.evaluate(() => document.visibilityState)).toBe("hidden");
    await show();
    await says(page, /^.*This tab was hidden for \d.* and went on: \d+ tasks meanwhile\.$/);
    await page.getByLabel("Hold still while this tab is hidden").check();
    show = await hide();
    await page.getByText("Holding still while this tab is hidden.").waitFor();
    const main = await flock.main(hub.url);
    const job = main.request("upper", "later");
    await passed(5500);
    expect(await hub.jobs()).toMatchObject({ waiting: 1, running: 0 });
    await show();
    expect(await job).toMatchObject({ node: id });
    await says(page, /This tab was hidden for \d.* and held still, as you wished\.$/);
    await page.getByLabel("Hold still while this tab is hidden").uncheck();
  });

  test("that sleeps has its task computed by others, wakes, says so and goes on", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const page = await participate(flock, browser, hub, { may: AWAY });
    const session = await browser.newCDPSession(page);
    const ways: [sleep: () => Promise<void>, wake: () => Promise<void>][] = [
      [
        // As a browser does it to tabs out of sight.
        async () => {
          const other = await browser.newPage();
          flock.atEnd(() => other.close());
          await page.waitForFunction(() => document.visibilityState === "hidden");
          await session.send("Page.setWebLifecycleState", { state: "frozen" });
        },
        async () => {
          await session.send("Page.setWebLifecycleState", { state: "active" });
          await page.bringToFront();
        },
      ],
      [
        // As a device does it to all of them.
        async () => (await opened.renderers()).forEach((pid) => process.kill(pid, "SIGSTOP")),
        async () => (await opened.renderers()).forEach((pid) => process.kill(pid, "SIGCONT")),
      ],
    ];
    const { id } = (await tabsOf(hub))[0]!;
    for (const [sleep, wake] of ways) {
      flock.atEnd(wake);
      const result = computeLong(client);
      await computing();
      await sleep();
      await stateIs(id, "unknown");
      const other = await ComputingNode.join({ hub: hub.url, name: "other" });
      flock.atEnd(() => other.close());
      expect(await result).toEqual(serial.long);
      expect(other.answered).toBe(1);
      const wokenAt = Date.now();
      await wake();
      await until(
        "it says so",
        () => happened(page),
        (all) => all.some(({ at, text }) => at >= wokenAt && SLEPT.test(text)),
      );
      await stateIs(id, "running");
      await other.close();
      const main = await flock.main(hub.url);
      expect(await main.request("upper", "awake")).toMatchObject({ node: id });
    }
  });

  test("says that a task is too large for it, and computes the next", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const page = await participate(flock, browser, hub);
    const other = await ComputingNode.join({ hub: hub.url, name: "other", paused: true });
    flock.atEnd(() => other.close());
    // More than a program may need here, and more than WebAssembly has here.
    for (const n of [15_000, 10_000]) {
      await expect(computeSquare(client, n)).rejects.toMatchObject({ failures: [{ code: "out_of_memory" }] });
      await says(page, n === 15_000 ? TOO_LARGE : NO_MEMORY);
      expect(await computeLong(client)).toEqual(serial.long);
    }
    other.resume();
    expect(await computeSquare(client, 15_000)).toBe(9);
    await phase(page, "on");
  });

  test("that is reloaded or closed in the middle of a task is missed by nobody", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const page = await participate(flock, browser, hub);
    const first = computeLong(client);
    await computing();
    await page.reload();
    await phase(page, "on");
    await says(page, /This page was loaded anew, and goes on; what it had begun went back to the hub\.$/);
    expect(await first).toEqual(serial.long);
    const second = computeLong(client);
    await computing();
    const { id } = (await tabsOf(hub))[0]!;
    await page.close();
    await stateIs(id, "stopped");
    const other = await ComputingNode.join({ hub: hub.url, name: "other" });
    flock.atEnd(() => other.close());
    expect(await second).toEqual(serial.long);
  });

  test.concurrent(
    "whose network is cut for 20 s is waited for by nobody, and comes back",
    async ({ onTestFinished }) => {
      const flock = new Flock(onTestFinished);
      // A hub of its own: the next test goes on meanwhile.
      const hub = await flock.hub({ ephemeral: true });
      const client = await connect({ hub: hub.url });
      flock.atEnd(() => client.close());
      const road = await flock.road(hub.url);
      const page = await participate(flock, browser, road, { may: AWAY });
      const result = computeLong(client);
      await computing(hub);
      road.stall();
      const cutAt = Date.now();
      const other = await ComputingNode.join({ hub: hub.url, name: "other" });
      flock.atEnd(() => other.close());
      expect(await result).toEqual(serial.long);
      await phase(page, "waiting");
      expect(await page.locator(".status").innerText()).toMatch(
        /^Waiting for the hub \(.*goes on by itself/s,
      );
      await until(
        "20 s have passed",
        () => Date.now() - cutAt,
        (ms) => ms >= 20_000,
      );
      road.mend();
      await phase(page, "on");
      await says(page, /could not be reached for \d\d\.\d s; it is back, and this tab goes on\.$/);
      await other.close();
      expect(await computeChains(client)).toEqual(serial.chains);
    },
  );

  test.concurrent(
    "takes more or less of its device while it computes, and shares it with other tabs",
    async ({ onTestFinished }) => {
      const flock = new Flock(onTestFinished);
      const page = await participate(flock, browser, hub);
      const { id } = (await tabsOf(hub))[0]!;
      const cores = await page.evaluate(() => navigator.hardwareConcurrency);
      const slots = async () => (await tabsOf(hub)).map((tab) => tab.slots).sort((a, b) => a - b);
      const slotsAre = (wanted: number[]) =>
        until(`slots are ${wanted.join()}`, slots, (seen) => seen.join() === wanted.join());
      const slider = page.getByRole("slider");
      const result = computeLong(client);
      await computing();
      await slider.fill(String(cores));
      await slotsAre([cores]);
      await slider.fill("1");
      await slotsAre([1]);
      await slider.fill(String(cores));
      expect(await result).toEqual(serial.long);
      const [still] = await tabsOf(hub);
      expect(still).toMatchObject({ id, failed: 0 });
      const second = await participate(flock, browser, hub);
      const halves = [Math.floor(cores / 2), Math.ceil(cores / 2)].map((part) => Math.max(1, part));
      await slotsAre(halves);
      await says(
        page,
        /2 tabs of this device share what it may use, and this one computes \d+ tasks? at a time\.$/,
      );
      const board = await openPage(flock, browser, `${webOf(hub)}/dashboard#/nodes`);
      await board.getByText(/, 2 tabs$/).waitFor();
      await board.getByText("2 here, 1 device").waitFor();
      await slider.fill("1");
      await slotsAre([1, 1]);
      expect(await second.getByRole("slider").inputValue()).toBe("1");
      expect(await computeChains(client)).toEqual(serial.chains);
      await slider.fill(String(cores));
      await second.close();
      await slotsAre([cores]);
      expect((await tabsOf(hub))[0]!.id).toBe(id);
      await says(page, /This is the only tab of this device now/);
    },
  );
});
