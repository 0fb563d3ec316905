// A real Chromium for tests: found on the machine, with a profile of its own that goes with it.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium, type BrowserContext } from "playwright-core";

export function chromiumPath(): string | undefined {
  for (const name of ["chromium", "chromium-browser", "google-chrome"])
    try {
      return execFileSync("which", [name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
      continue;
    }
  return undefined;
}

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

export interface OpenBrowser {
  readonly browser: BrowserContext;
  close(): Promise<void>;
}

export async function openChromium(
  executablePath: string,
  args: readonly string[] = [],
): Promise<OpenBrowser> {
  const userData = mkdtempSync(join(tmpdir(), "flockwork-chromium-"));
  const browser = await chromium.launchPersistentContext(userData, {
    executablePath,
    headless: true,
    args: [...FLAGS, ...args],
  });
  return {
    browser,
    async close() {
      await browser.close();
      rmSync(userData, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
