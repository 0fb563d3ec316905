// A page of a hub in the test's browser, whose complaints (console, exceptions, policy) fail the test.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import type { Flock, HubProcess } from "../flock.js";

export interface Opening {
  readonly theme?: "light" | "dark";
  readonly width?: number;
  /** What the console may say: a hub that goes away makes every browser complain. */
  readonly may?: RegExp;
  /** Run in the page before its own scripts. */
  readonly before?: () => void;
}

export async function openPage(
  flock: Flock,
  browser: BrowserContext,
  url: string,
  { theme = "light", width = 1280, may, before }: Opening = {},
): Promise<Page> {
  const page = await browser.newPage();
  const complaints: string[] = [];
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("console", (message) => {
    const text = `${message.text()} (${message.location().url})`;
    if (message.type() === "error" && !may?.test(text)) complaints.push(text);
  });
  flock.atEnd(async () => {
    await page.close();
    expect(complaints).toEqual([]);
  });
  await page.setViewportSize({ width, height: 800 });
  await page.emulateMedia({ colorScheme: theme });
  if (before !== undefined) await page.addInitScript(before);
  await page.goto(url);
  return page;
}

/** The number that a page shows under a name. */
export async function shown(page: Page, figure: string): Promise<number> {
  return Number((await page.locator(`[data-figure="${figure}"]`).innerText()).replaceAll(",", ""));
}

/** The tokens that a flock's hub has made, by role. */
export function tokensOf(flock: Flock): Record<"compute" | "main" | "observe", string> {
  const stored = JSON.parse(readFileSync(join(flock.folder, "data", "tokens.json"), "utf8")) as {
    role: "compute" | "main" | "observe";
    token: string;
  }[];
  return Object.fromEntries(stored.map(({ role, token }) => [role, token])) as ReturnType<typeof tokensOf>;
}

/** Sentences that a browser has for a hub that is away. */
export const AWAY =
  /ERR_CONNECTION|ERR_INTERNET_DISCONNECTED|ERR_SOCKET|ERR_EMPTY_RESPONSE|WebSocket connection|503/;

export const webOf = ({ url }: { readonly url: string }): string => url.replace("ws", "http");

/** Waits until the participate page is in this phase. */
export function phase(page: Page, is: string, limitMs = 60_000): Promise<void> {
  return page.locator(`[data-phase="${is}"]`).waitFor({ timeout: limitMs });
}

/** The participate page of a hub, or of a road to it, that has joined. */
export async function participate(
  flock: Flock,
  browser: BrowserContext,
  hub: { readonly url: string },
  how: Opening = {},
): Promise<Page> {
  const page = await openPage(flock, browser, `${webOf(hub)}/`, how);
  await page.getByRole("button", { name: "Participate" }).click();
  await phase(page, "on");
  return page;
}

/** Whoever calls itself a tab, and is here. */
export async function tabsOf(hub: HubProcess) {
  return (await hub.nodes()).filter(({ id, state }) => id.startsWith("tab.") && state === "running");
}
