// A real Chromium for tests: found on the machine, with a profile of its own that goes with it.
import { execFileSync, spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
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

export interface UntouchedOptions {
  /** Of the browser's profile, as a person may have set them. */
  readonly preferences?: object;
  readonly args?: readonly string[];
}

export interface UntouchedBrowser extends OpenBrowser {
  /** Processes of its pages. */
  renderers(): Promise<number[]>;
}

/** A Chromium in which pages are hidden, throttled and frozen as a person's are: Playwright's own start keeps them all in sight. */
export async function openUntouched(
  executablePath: string,
  { preferences, args = [] }: UntouchedOptions = {},
): Promise<UntouchedBrowser> {
  const userData = mkdtempSync(join(tmpdir(), "flockwork-chromium-"));
  if (preferences !== undefined) {
    mkdirSync(join(userData, "Default"));
    writeFileSync(join(userData, "Default", "Preferences"), JSON.stringify(preferences));
  }
  const child = spawn(
    executablePath,
    [
      "--headless",
      ...FLAGS,
      ...args,
      `--user-data-dir=${userData}`,
      "--remote-debugging-port=0",
      "about:blank",
    ],
    { stdio: ["ignore", "ignore", "pipe"] },
  );
  const ended = new Promise((resolve) => child.once("close", resolve));
  const address = await new Promise<string>((found, lost) => {
    createInterface({ input: child.stderr }).on("line", (line) => {
      const at = /DevTools listening on (\S+)/.exec(line)?.[1];
      if (at !== undefined) found(at);
    });
    child.once("close", () => lost(new Error("Chromium ended before it could be driven")));
  });
  const driven = await chromium.connectOverCDP(address, { noDefaults: true });
  const session = await driven.newBrowserCDPSession();
  return {
    browser: driven.contexts()[0]!,
    async renderers() {
      const { processInfo } = await session.send("SystemInfo.getProcessInfo");
      return processInfo.filter(({ type }) => type === "renderer").map(({ id }) => id);
    },
    async close() {
      // One whose pages are stopped does not end by being asked.
      const last = setTimeout(() => child.kill("SIGKILL"), 10_000);
      await session.send("Browser.close").catch(() => child.kill());
      await ended;
      clearTimeout(last);
      rmSync(userData, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
