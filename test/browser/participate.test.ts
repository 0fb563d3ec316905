// The participate page in a real Chromium: from opening the link to the first result, and what bad luck gets.
import type { BrowserContext } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect } from "../../dist/flock/index.node.js";
import { Flock, freePort, until } from "../flock.js";
import { chromiumPath, openChromium, openUntouched, type OpenBrowser } from "./chromium.js";
import { computeLong } from "./computations.js";
import { AWAY, openPage, participate, phase, shown, tabsOf as tabs, tokensOf, webOf } from "./open-page.js";

const executablePath = chromiumPath();
if (executablePath === undefined)
  process.stderr.write("participate tests skip: neither chromium nor google-chrome is installed\n");

describe.skipIf(executablePath === undefined)("a tab that takes part", () => {
  let opened: OpenBrowser;
  let browser: BrowserContext;
  beforeAll(async () => {
    opened = await openChromium(executablePath!, ["--host-resolver-rules=MAP lan.test 127.0.0.1"]);
    browser = opened.browser;
  });
  afterAll(() => opened?.close());

  test("computes jobs and graphs, and leaves when it is told to", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const page = await participate(flock, browser, hub);
    const main = await flock.main(hub.url);
    const job = await main.request("upper", "from a tab");
    expect(job.text()).toBe("FROM A TAB");
    expect(job.node).toMatch(/^tab\./);
    const client = await connect({ hub: hub.url });
    flock.atEnd(() => client.close());
    const graph = client.graph();
    const a = graph.tensor([
      [1, 2],
      [3, 4],
    ]);
    expect([...(await graph.value(a.matmul(a).relu())).data]).toEqual([7, 10, 15, 22]);
    await until(
      "it says so",
      () => shown(page, "answered"),
      (answered) => answered === 2,
    );
    await page.getByRole("button", { name: "Stop" }).click();
    await phase(page, "idle");
    await until(
      "it has left",
      () => tabs(hub),
      (here) => here.length === 0,
    );
    expect((await hub.nodes()).map(({ state }) => state)).toEqual(["stopped"]);
  });

  test("is reached and used by keyboard alone", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const page = await openPage(flock, browser, `${webOf(hub)}/`);
    const focused = () => page.evaluate(() => document.activeElement?.textContent ?? "");
    for (let i = 0; i < 8 && (await focused()) !== "Participate"; i++) await page.keyboard.press("Tab");
    expect(await focused()).toBe("Participate");
    await page.keyboard.press("Enter");
    await phase(page, "on");
  });

  test("works over plain http under a LAN name, and says what https would add", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true, args: ["--allow-host", "lan.test"] });
    const page = await openPage(flock, browser, `http://lan.test:${hub.port}/`);
    expect(await page.evaluate(() => isSecureContext)).toBe(false);
    await page.getByText("This page came over plain http").waitFor();
    await page.getByRole("button", { name: "Participate" }).click();
    await phase(page, "on");
    const main = await flock.main(hub.url);
    expect((await main.request("upper", "plain")).text()).toBe("PLAIN");
  });

  test("comes back by itself after a reload, and after its hub was started anew", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const port = await freePort();
    const hub = await flock.hub({ port });
    const page = await participate(flock, browser, hub, { may: AWAY });
    const [before] = await tabs(hub);
    await page.reload();
    await phase(page, "on");
    await until(
      "the new one only",
      () => tabs(hub),
      (here) => here.length === 1 && here[0]!.id !== before!.id,
    );
    await page.getByText("This page was loaded anew").waitFor();
    const client = await connect({ hub: hub.url });
    flock.atEnd(() => client.close());
    const result = computeLong(client);
    await until(
      "it computes",
      () => tabs(hub),
      ([tab]) => tab?.running === 1,
    );
    await hub.program.kill();
    await phase(page, "waiting");
    expect(await page.locator(".status").innerText()).toMatch(/^Waiting for the hub .* goes on by itself/s);
    const again = await flock.hub({ port });
    await phase(page, "on");
    const main = await flock.main(again.url);
    expect((await main.request("upper", "again")).node).toMatch(/^tab\./);
    await page
      .getByText(/The hub could not be reached for .*; it is back, and this tab goes on\.$/)
      .waitFor();
    expect(await result).toEqual(await computeLong(client));
  });

  test("waits for a network that breaks for a moment", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const road = await flock.road(hub.url);
    const page = await openPage(flock, browser, `${road.url.replace("ws", "http")}/`, { may: AWAY });
    await page.getByRole("button", { name: "Participate" }).click();
    await phase(page, "on");
    road.cut();
    await phase(page, "waiting");
    const main = await flock.main(hub.url);
    const job = main.request("upper", "meanwhile");
    road.mend();
    expect((await job).text()).toBe("MEANWHILE");
    await phase(page, "on");
  });

  test("runs where cookies and storage are refused, says that nothing is kept, and comes back all the same", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const refusing = await openUntouched(executablePath!, {
      preferences: { profile: { default_content_setting_values: { cookies: 2 } } },
    });
    flock.atEnd(() => refusing.close());
    const page = await participate(flock, refusing.browser, hub);
    expect(await page.evaluate(() => window.origin)).toBe(webOf(hub));
    await expect(page.evaluate(() => localStorage)).rejects.toThrow(/SecurityError|Access is denied/);
    await page.getByText("This browser keeps nothing for this page").waitFor();
    const main = await flock.main(hub.url);
    expect((await main.request("upper", "kept nowhere")).text()).toBe("KEPT NOWHERE");
    await page.reload();
    await phase(page, "on");
    await participate(flock, refusing.browser, hub);
    // Without storage each is a device of its own, but they share what they may use.
    await page
      .getByText(/2 tabs of this device share/)
      .first()
      .waitFor();
    expect((await main.request("upper", "again")).text()).toBe("AGAIN");
  });

  test("asks for a link where the hub asks for tokens, and is let in with one", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ args: ["--require-token"] });
    const { compute } = tokensOf(flock);
    const page = await openPage(flock, browser, `${webOf(hub)}/`);
    await page.getByRole("button", { name: "Participate" }).click();
    await phase(page, "refused");
    await page.getByLabel("Link or token").fill(`${webOf(hub)}/#token=${compute}`);
    await page.getByRole("button", { name: "Join with it" }).click();
    await phase(page, "on");
    // A link does the same at once, and leaves no token in the address.
    const other = await openPage(flock, browser, `${webOf(hub)}/#token=${compute}`);
    await other.getByRole("button", { name: "Participate" }).click();
    await phase(other, "on");
    expect(other.url()).not.toContain("fw_");
  });
});
