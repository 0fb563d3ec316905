// A page of a hub in the test's browser, whose complaints (console, exceptions, policy) fail the test.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { BrowserContext, Page } from "playwright-core";
import { expect } from "vitest";
import type { Flock } from "../flock.js";

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
