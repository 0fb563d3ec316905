// examples/page.html, served from another origin, at a real hub.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { Flock } from "../flock.js";
import { chromiumPath, openChromium } from "./chromium.js";
import { openPage } from "./open-page.js";

const executablePath = chromiumPath();
const PAGE = fileURLToPath(new URL("../../examples/page.html", import.meta.url));

test.skipIf(executablePath === undefined)("the example page answers and asks", async ({ onTestFinished }) => {
  const flock = new Flock(onTestFinished);
  const server = createServer((_, response) => {
    response.setHeader("content-type", "text/html");
    response.end(readFileSync(PAGE));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  flock.atEnd(() => void server.close());
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const hub = await flock.hub({ ephemeral: true, args: ["--allow-origin", origin] });
  const { browser, close } = await openChromium(executablePath!);
  flock.atEnd(close);
  const page = await openPage(flock, browser, `${origin}/page.html?hub=127.0.0.1:${hub.port}`, {
    may: /favicon/,
  });
  await page.locator("body[data-ready]").waitFor();
  await page.getByRole("button", { name: "Ask" }).click();
  await page.locator("#answer", { hasText: "6" }).waitFor();
  expect(await page.locator("#from").innerText()).toMatch(/^my-page\./);
  expect(await page.locator("#answered").innerText()).toBe("1");
});
