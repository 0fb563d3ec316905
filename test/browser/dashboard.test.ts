// The dashboard in a real Chromium: its numbers are the hub's own, it waits for a hub that is away, and it is for everybody.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { BrowserContext, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type MainNode } from "../../dist/flock/index.node.js";
import { Flock, freePort, until, type HubProcess } from "../flock.js";
import { chromiumPath, openChromium, type OpenBrowser } from "./chromium.js";
import { openPage, shown, tokensOf } from "./open-page.js";

const executablePath = chromiumPath();
if (executablePath === undefined)
  process.stderr.write("dashboard tests skip: neither chromium nor google-chrome is installed\n");

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const webOf = (hub: HubProcess) => hub.url.replace("ws", "http");
const live = (page: Page, limitMs = 30_000) => page.locator('[data-link="up"]').waitFor({ timeout: limitMs });

interface Found {
  readonly violations: readonly {
    readonly id: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
}

/** What axe-core finds, in few words. Its script is handed over by the debugger: the page's policy lets in none but its own. */
async function flaws(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() =>
    (window as unknown as { axe: { run(): Promise<Found> } }).axe.run(),
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary.slice(0, 200)}`),
  );
}

async function solve(main: MainNode, service: string, count: number): Promise<number> {
  let solved = 0;
  for await (const result of main.submit(
    service,
    Array.from({ length: count }, (_, i) => `job ${i}`),
  ))
    if (result.ok) solved++;
  return solved;
}

describe.skipIf(executablePath === undefined)("the dashboard", () => {
  let opened: OpenBrowser;
  let browser: BrowserContext;
  beforeAll(async () => {
    opened = await openChromium(executablePath!);
    browser = opened.browser;
  });
  afterAll(() => opened?.close());

  test("shows the hub's own numbers", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const worker = await flock.worker(hub.url, {
      name: "anna",
      slots: 2,
      services: ["quiet", "failForGood"],
    });
    const id = await worker.joined();
    const page = await openPage(flock, browser, `${webOf(hub)}/dashboard`);
    await live(page);
    const main = await flock.main(hub.url, { name: "asker", session: "nightly" });
    expect(await solve(main, "quiet", 500)).toBe(500);
    await solve(main, "failForGood", 3);
    const jobs = await until(
      "all is over",
      () => hub.jobs(),
      ({ solved, unsolved }) => solved + unsolved === 503,
    );
    /** The page hears a moment later. */
    const shows = (figure: string, hubs: () => number | Promise<number>) =>
      until(
        `the page's ${figure} is the hub's`,
        async () => [await shown(page, figure), await hubs()],
        ([pages, own]) => pages === own,
      );
    const metric = async (name: string) => {
      const metrics = await (await fetch(`${webOf(hub)}/metrics`)).text();
      return Number(new RegExp(`^flockwork_${name} (\\S+)$`, "m").exec(metrics)![1]);
    };
    for (const [figure, api, prometheus] of [
      ["solved", jobs.solved, "solved_total"],
      ["unsolved", jobs.unsolved, "unsolved_total"],
      ["waiting", jobs.waiting, "jobs_waiting"],
      ["running", jobs.running, "jobs_running"],
      ["nodes", 1, "nodes"],
    ] as const) {
      await shows(figure, () => api);
      expect([figure, await metric(prometheus)]).toEqual([figure, api]);
    }
    const node = async () =>
      (await hub.get<{ solved: number; failed: number; held: number }[]>("/api/nodes"))[0]!;
    await page.goto(`${webOf(hub)}/dashboard#/nodes/${id}`);
    await page.getByRole("heading", { name: id }).waitFor();
    for (const name of ["solved", "failed", "held"] as const)
      await shows(`node-${name}`, async () => (await node())[name]);
    const { sets } = await hub.get<{
      sets: { set: number; service: string; submitted: number; solved: number; unsolved: number }[];
    }>("/api/jobs");
    expect(sets.map(({ service, submitted }) => [service, submitted])).toEqual([
      ["quiet", 500],
      ["failForGood", 3],
    ]);
    for (const set of sets) {
      await page.goto(`${webOf(hub)}/dashboard#/jobs/${set.set}`);
      await page.getByRole("heading", { name: `${set.service} for nightly` }).waitFor();
      for (const name of ["submitted", "solved", "unsolved"] as const)
        await shows(`set-${name}`, () => set[name]);
    }
    const errors =
      await hub.get<{ code: string; node?: string; client?: string; times: number }[]>("/api/errors");
    const refused = errors.find(({ node }) => node === id);
    expect(refused).toMatchObject({ client: expect.stringMatching(/^asker\./), times: 3 });
    await page.goto(`${webOf(hub)}/dashboard#/errors`);
    await page.getByRole("cell", { name: refused!.code }).first().waitFor();
  });

  test("draws a graph, with its tasks where they were computed", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const tab = await openPage(flock, browser, `${webOf(hub)}/`);
    await tab.getByRole("button", { name: "Participate" }).click();
    await tab.locator('[data-phase="on"]').waitFor();
    const client = await connect({ hub: hub.url });
    flock.atEnd(() => client.close());
    const graph = client.graph({ eager: true });
    const a = graph.tensor([[1, 2]]);
    const [b, c] = [a.add(a), a.mul(a)];
    const d = b.add(c);
    expect([...(await graph.value(d)).data]).toEqual([3, 8]);
    const page = await openPage(flock, browser, `${webOf(hub)}/dashboard#/graphs/${graph.id}`);
    await page.locator("svg .group.done").nth(2).waitFor();
    const known = await hub.get<{ groups: { node: string; after: number[]; at: number; ms: number }[] }>(
      `/api/graphs/${graph.id}`,
    );
    expect(known.groups.map(({ node }) => node.replace(/\..*/, ""))).toEqual(["tab", "tab", "tab"]);
    expect(known.groups.at(-1)!.after).toHaveLength(2);
    const [first, second, last] = known.groups.map(({ at, ms }) => [at - ms, at] as const);
    expect(Math.min(first![1], second![1])).toBeGreaterThan(0);
    expect(last![1]).toBeGreaterThanOrEqual(Math.max(first![1], second![1]));
    expect(await page.locator("svg .edge").count()).toBe(2);
    expect(await shown(page, "graph-done")).toBe(3);
    // The timeline has a bar for each, and says what it is.
    const timeline = page.getByRole("img", { name: "A row for each node, a bar for each task" });
    const { x, y, width } = (await timeline.boundingBox())!;
    const told = page.locator(".tools", { hasText: "across" });
    const found = await until(
      "a bar under the pointer",
      async () => {
        for (let at = width; at > 0; at -= 4) {
          await page.mouse.move(x + at, y + 13);
          const text = await told.innerText();
          if (text.includes("program ")) return text;
        }
        return "";
      },
      (text) => text !== "",
    );
    expect(found).toMatch(/tab\.\S+: program [0-9a-f]{12}, /);
    // Kept to here: what nobody can read any more goes.
    expect([b, c, d]).toHaveLength(3);
  });

  test("waits for a hub that is away, says so, and goes on", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const port = await freePort();
    const hub = await flock.hub({ port });
    const page = await openPage(flock, browser, `${webOf(hub)}/dashboard`, { may: /ERR_|503|404/ });
    await live(page);
    await hub.program.kill();
    await page.getByText("What you see is the last it said").waitFor();
    const again = await flock.hub({ port });
    await live(page);
    await flock.worker(again.url, { services: ["quiet"] });
    await until(
      "the new hub's nodes",
      () => shown(page, "nodes"),
      (nodes) => nodes === 1,
    );
  });

  test("lets in who has a token to watch, which never crosses the wire", async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ args: ["--require-token"] });
    const { observe, compute } = tokensOf(flock);
    const page = await openPage(flock, browser, `${webOf(hub)}/dashboard`, { may: /401/ });
    const sent: string[] = [];
    page.on("request", (request) =>
      sent.push(`${request.url()} ${JSON.stringify(request.headers())} ${request.postData() ?? ""}`),
    );
    await page.getByRole("heading", { name: "A link lets you in" }).waitFor();
    await page.getByLabel("Link or token").fill(compute);
    await page.getByRole("button", { name: "Watch" }).click();
    await page.getByText("has the role compute").waitFor();
    await page.getByLabel("Link or token").fill(`${webOf(hub)}/#token=${observe}`);
    await page.getByRole("button", { name: "Watch" }).click();
    await live(page);
    await page.reload();
    await live(page);
    const linked = await openPage(flock, browser, `${webOf(hub)}/dashboard#token=${observe}`, { may: /401/ });
    await live(linked);
    expect(linked.url()).not.toContain("fw_");
    expect(sent.length).toBeGreaterThan(4);
    for (const token of [observe, compute]) expect(sent.join("\n")).not.toContain(token.slice(16));
    // A ticket ends with its token.
    const id = /fw_([0-9a-f]+)_/.exec(observe)![1]!;
    expect(await flock.command("token", "revoke", id, "--data", `${flock.folder}/data`).ended).toBe(0);
    await page.getByRole("heading", { name: "A link lets you in" }).waitFor({ timeout: 30_000 });
  });

  test("and every other page have no flaw that axe-core finds, in both themes, on a phone and at a desk", async ({
    onTestFinished,
  }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const worker = await flock.worker(hub.url, { services: ["quiet", "failForGood"] });
    const main = await flock.main(hub.url, { session: "nightly" });
    await solve(main, "quiet", 20);
    await solve(main, "failForGood", 1);
    const found: string[] = [];
    const look = async (path: string, ready: (page: Page) => Promise<void>) => {
      const page = await openPage(flock, browser, `${webOf(hub)}${path}`);
      await ready(page);
      for (const theme of ["light", "dark"] as const)
        for (const width of [390, 1280]) {
          await page.emulateMedia({ colorScheme: theme, reducedMotion: "reduce" });
          await page.setViewportSize({ width, height: 844 });
          found.push(...(await flaws(page)).map((flaw) => `${path} ${theme} ${width}: ${flaw}`));
        }
      // A browser has six connections to a hub, and each dashboard holds one.
      await page.close();
    };
    await look("/", async (page) => {
      await page.getByRole("button", { name: "Participate" }).click();
      await page.locator('[data-phase="on"]').waitFor();
    });
    for (const place of ["", "nodes", `nodes/${await worker.joined()}`, "jobs", "jobs/0", "graphs", "errors"])
      await look(`/dashboard#/${place}`, live);
    expect(found).toEqual([]);
  });
});
