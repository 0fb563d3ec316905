// An old tab after an upgrade of its hub: it loads itself anew between tasks, once, and not at all where the pages are the same.
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../dist/flock/index.node.js";
import { Flock, freePort, until } from "../flock.js";
import { chromiumPath, openChromium, type OpenBrowser } from "./chromium.js";
import { computeLong } from "./computations.js";
import { newerBuild } from "./newer-build.js";
import { AWAY, participate, phase, tabsOf } from "./open-page.js";

const executablePath = chromiumPath();
if (executablePath === undefined)
  process.stderr.write("upgrade tests skip: neither chromium nor google-chrome is installed\n");

/** What a page has of its own until it is loaded anew. */
const mark = (page: Page) => page.evaluate(() => void ((window as unknown as { old: boolean }).old = true));
const marked = (page: Page) => page.evaluate(() => "old" in window);

describe.skipIf(executablePath === undefined)("a tab whose hub was upgraded", () => {
  let opened: OpenBrowser;
  let browser: BrowserContext;
  beforeAll(async () => {
    opened = await openChromium(executablePath!);
    browser = opened.browser;
  });
  afterAll(() => opened?.close());

  /** A tab of an old hub, the hub gone. `upgrade` starts the new one. */
  async function left(flock: Flock, pages: "newer" | "same") {
    const port = await freePort();
    const old = await flock.hub({ port });
    const page = await participate(flock, browser, old, { may: AWAY });
    const html = await (await fetch(old.url.replace("ws", "http"))).text();
    await mark(page);
    await old.program.kill();
    await phase(page, "waiting");
    const upgrade = () => flock.hub({ port, cli: newerBuild(`${flock.folder}/newer`, pages) });
    return { page, html, upgrade };
  }

  test("finishes what it computes, then loads the new pages", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const { page, upgrade } = await left(flock, "newer");
    // It looks at the hub's pages when it is back; a slow network lets it see them when it has begun a task.
    let see!: () => void;
    const seen = new Promise<void>((resolve) => (see = resolve));
    await page.route("**/", async (route) => {
      await seen;
      await route.continue();
    });
    const hub = await upgrade();
    await phase(page, "on");
    const { id } = (await tabsOf(hub))[0]!;
    const client = await connect({ hub: hub.url });
    flock.atEnd(() => client.close());
    const results = Promise.all([computeLong(client), computeLong(client), computeLong(client)]);
    await until(
      "it computes",
      () => tabsOf(hub),
      ([tab]) => tab?.running === 1,
    );
    see();
    await page.waitForFunction(() => !("old" in window), undefined, { timeout: 60_000 });
    // What it had begun it has finished; what waited there was left to the tab that it is now.
    const before = (await hub.nodes()).find((node) => node.id === id)!;
    expect(before).toMatchObject({ state: "stopped", failed: 0 });
    expect(before.solved).toBeGreaterThan(0);
    await phase(page, "on");
    await page
      .getByText(/newer pages, so this tab finished what it had begun and loaded itself anew\.$/)
      .waitFor();
    expect(await page.locator("script[src*=newer]").count()).toBe(1);
    const serial = await computeLong(client);
    for (const result of await results) expect(result).toEqual(serial);
  });

  test("stays as it is where the pages are the same", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const { page, upgrade } = await left(flock, "same");
    const looked = page.waitForResponse(
      (response) => new URL(response.url()).pathname === "/" && response.request().resourceType() === "fetch",
    );
    const hub = await upgrade();
    await looked;
    await phase(page, "on");
    const main = await flock.main(hub.url);
    expect((await main.request("upper", "as before")).node).toMatch(/^tab\./);
    expect(await hub.get("/healthz")).toMatchObject({ software: "flockwork/99.0.0" });
    expect(await marked(page)).toBe(true);
  });

  test("loads anew once and says so where the old page comes again", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const { page, html, upgrade } = await left(flock, "newer");
    let loads = 0;
    // Something on the way keeps the old page for whoever opens it.
    await page.route("**/", async (route) => {
      if (!route.request().isNavigationRequest()) return route.continue();
      loads++;
      return route.fulfill({ contentType: "text/html", body: html });
    });
    const hub = await upgrade();
    await page.getByText(/loading anew brought the old one again/).waitFor({ timeout: 60_000 });
    const main = await flock.main(hub.url);
    expect((await main.request("upper", "all the same")).node).toMatch(/^tab\./);
    await phase(page, "on");
    expect(loads).toBe(1);
  });
});
