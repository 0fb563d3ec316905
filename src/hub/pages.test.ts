// Pages over real HTTP: their smaller forms, their caching, their policy, and nothing from outside their folder.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, request as ask, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { gzipSync, gunzipSync } from "node:zlib";
import { afterEach, expect, it } from "vitest";
import { Pages } from "./pages.js";

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

interface Got {
  readonly status: number;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

async function served(files: Readonly<Record<string, string | Buffer>>) {
  const folder = mkdtempSync(join(tmpdir(), "flockwork-pages-"));
  ends.push(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, "web/assets"), { recursive: true });
  for (const [name, content] of Object.entries(files)) writeFileSync(join(folder, name), content);
  const pages = new Pages(pathToFileURL(join(folder, "web/")));
  const server = createServer((request, response) => {
    if (!pages.answer(request, response, request.url!)) response.writeHead(404).end("none");
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  ends.push(() => new Promise((done) => server.close(done)));
  const { port } = server.address() as AddressInfo;
  return (path: string, headers: Record<string, string> = {}, method = "GET") =>
    new Promise<Got>((resolve, reject) =>
      ask({ port, host: "127.0.0.1", path, method, headers, agent: false }, (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("end", () =>
          resolve({ status: response.statusCode!, headers: response.headers, body: Buffer.concat(parts) }),
        );
      })
        .once("error", reject)
        .end(),
    );
}

const FILES = {
  "web/index.html": "<p>here</p>",
  "web/dashboard.html": "<p>board</p>",
  "web/assets/app-1a2b.js": "run()",
  "web/assets/app-1a2b.js.gz": gzipSync("run()"),
  "web/assets/notes.exe": "no",
  "secret.txt": "secret",
};

it("are at their places, in the smallest form that is asked for", async () => {
  const get = await served(FILES);
  expect((await get("/")).body.toString()).toBe("<p>here</p>");
  expect((await get("/dashboard")).body.toString()).toBe("<p>board</p>");
  const small = await get("/assets/app-1a2b.js", { "accept-encoding": "gzip, br" });
  expect(small.headers).toMatchObject({
    "content-encoding": "gzip",
    "content-type": "text/javascript; charset=utf-8",
  });
  expect(gunzipSync(small.body).toString()).toBe("run()");
  expect((await get("/assets/app-1a2b.js")).headers["content-encoding"]).toBeUndefined();
  expect(await get("/", {}, "HEAD")).toMatchObject({ status: 200, body: Buffer.alloc(0) });
  expect((await get("/", {}, "POST")).status).toBe(405);
});

it("are kept for good where their name says their content, and asked for again where not", async () => {
  const get = await served(FILES);
  expect((await get("/assets/app-1a2b.js")).headers["cache-control"]).toContain("immutable");
  const page = await get("/");
  expect(page.headers["cache-control"]).toBe("no-cache");
  expect((await get("/", { "if-none-match": page.headers.etag! })).status).toBe(304);
});

it("run only what came from their hub, whatever its host is called", async () => {
  const get = await served(FILES);
  const policy = async (host: string) =>
    (await get("/", { host })).headers["content-security-policy"] as string;
  expect(await policy("10.0.0.7:9999")).toContain(
    "connect-src 'self' ws://10.0.0.7:9999 wss://10.0.0.7:9999;",
  );
  expect(await policy("10.0.0.7:9999")).toMatch(/^default-src 'none'; script-src 'self' 'wasm-unsafe-eval';/);
  expect(await policy("localhost/; script-src *")).not.toContain("script-src *");
});

it("hold nothing else, and say so when they are not built", async () => {
  const get = await served(FILES);
  for (const path of [
    "/../secret.txt",
    "/assets/../../secret.txt",
    "/%2e%2e/secret.txt",
    "/assets/notes.exe",
    "/x",
  ])
    expect([path, (await get(path)).status]).toEqual([path, 404]);
  const none = new Pages(pathToFileURL(join(tmpdir(), "flockwork-no-such-folder/")));
  const server = createServer((request, response) => none.answer(request, response, "/"));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  ends.push(() => new Promise((done) => server.close(done)));
  const said = await new Promise<string>((resolve, reject) =>
    ask({ port: (server.address() as AddressInfo).port, host: "127.0.0.1", agent: false }, (response) =>
      text(response).then(resolve, reject),
    ).end(),
  );
  expect(said).toMatch(/npm run build/);
});
