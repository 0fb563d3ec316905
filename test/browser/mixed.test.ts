// Tabs and a Node process compute one graph together: the result is the serial one, also when a tab dies in the middle of it.
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ComputingNode, connect } from "../../dist/flock/index.node.js";
import { Flock, until, type HubProcess } from "../flock.js";
import { computeChains } from "./computations.js";
import { chromiumPath, openChromium, type OpenBrowser } from "./chromium.js";
import { openPage } from "./open-page.js";

const executablePath = chromiumPath();
if (executablePath === undefined)
  process.stderr.write("mixed tests skip: neither chromium nor google-chrome is installed\n");

describe.skipIf(executablePath === undefined)("two tabs and a process", () => {
  let opened: OpenBrowser;
  let browser: BrowserContext;
  beforeAll(async () => {
    opened = await openChromium(executablePath!);
    browser = opened.browser;
  });
  afterAll(() => opened?.close());

  async function tab(flock: Flock, hub: HubProcess): Promise<Page> {
    const page = await openPage(flock, browser, `${hub.url.replace("ws", "http")}/`);
    await page.getByRole("button", { name: "Participate" }).click();
    await page.locator('[data-phase="on"]').waitFor();
    return page;
  }

  test("compute what one process does, with a tab killed meanwhile", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const node = await ComputingNode.join({ hub: hub.url, name: "alone" });
    flock.atEnd(() => node.abort());
    const client = await connect({ hub: hub.url });
    flock.atEnd(() => client.close());
    const serial = await computeChains(client);
    const pages = [await tab(flock, hub), await tab(flock, hub)];
    expect(await computeChains(client)).toEqual(serial);
    // Who gets what is the scheduler's choice; the tab that did most is the one to lose.
    const tabs = (await hub.nodes()).filter(({ id }) => id.startsWith("tab."));
    const [busiest] = tabs.sort((a, b) => b.solved - a.solved);
    expect(busiest!.solved).toBeGreaterThan(0);
    const again = computeChains(client);
    for (const page of pages)
      if ((await page.locator(".status").innerText()).includes(busiest!.id))
        await page.goto("chrome://crash").catch(() => undefined);
    expect(await again).toEqual(serial);
    await until(
      "the tab is gone",
      () => hub.nodes(),
      (nodes) => nodes.every(({ id, state }) => id !== busiest!.id || state !== "running"),
    );
    expect(await computeChains(client)).toEqual(serial);
  });
});
