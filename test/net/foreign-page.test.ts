// A page whose name was made to point at the hub (DNS rebinding), in a real Chromium: for the browser it is the hub's own
// origin, so only the hub can tell.
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { expect, it } from "vitest";
import { Flock } from "../flock.js";

function chromiumPath(): string | undefined {
  for (const name of ["chromium", "chromium-browser", "google-chrome"])
    try {
      return execFileSync("which", [name], { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] }).trim();
    } catch {
      continue;
    }
  return undefined;
}

const executablePath = chromiumPath();
if (executablePath === undefined) process.stderr.write("rebinding test skips: there is no Chromium\n");

it.skipIf(executablePath === undefined)(
  "a rebound name reaches no hub, by fetch or WebSocket",
  async ({ onTestFinished }) => {
    const flock = new Flock(onTestFinished);
    const hub = await flock.hub({ ephemeral: true });
    const userData = mkdtempSync(join(tmpdir(), "flockwork-rebound-"));
    flock.atEnd(() => rmSync(userData, { recursive: true, force: true, maxRetries: 5 }));
    const flags = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"];
    const browser = await chromium.launchPersistentContext(userData, {
      executablePath: executablePath!,
      headless: true,
      args: [
        ...flags,
        "--disable-background-networking",
        "--disable-component-update",
        "--host-resolver-rules=MAP evil.example 127.0.0.1",
        // Newer browsers ask before a page reaches loopback; the hub must not need that.
        "--disable-features=LocalNetworkAccessChecks,BlockInsecurePrivateNetworkRequests",
      ],
    });
    flock.atEnd(() => browser.close());
    const page = await browser.newPage();
    const origin = `http://evil.example:${hub.port}`;
    // The page itself came while the name still pointed elsewhere.
    await page.route(`${origin}/`, (route) =>
      route.fulfill({ contentType: "text/html", body: "<p>hello</p>" }),
    );
    await page.goto(`${origin}/`);
    const seen = await page.evaluate(async () => {
      const answer = await fetch("/api/jobs");
      const socket = new WebSocket(location.origin.replace("http", "ws"));
      const opened = await new Promise((tell) => {
        socket.onopen = () => tell(true);
        socket.onerror = () => tell(false);
      });
      return { status: answer.status, text: await answer.text(), opened };
    });
    expect(seen).toMatchObject({ status: 403, opened: false });
    expect(seen.text).toMatch(/This hub is not called/);
    expect(seen.text).not.toMatch(/sessions/);
  },
);
