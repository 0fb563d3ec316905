// Serves a page made of scripts of this repository, bundled from source, and the files of ONNX Runtime under /ort/.
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const ORT = fileURLToPath(new URL("../../node_modules/onnxruntime-web/dist/", import.meta.url));
const TYPES: Readonly<Record<string, string>> = {
  js: "text/javascript",
  mjs: "text/javascript",
  wasm: "application/wasm",
};

export interface BundledPage {
  readonly url: string;
  /** Names of the runtime's files that were fetched. */
  readonly fetched: Set<string>;
  close(): void;
}

/** `scripts` by their paths: /page.js is run in the page, others as workers of it. `banner`: run before each. */
export async function serveBundled(
  scripts: Readonly<Record<string, URL>>,
  banner = "",
): Promise<BundledPage> {
  const { outputFiles } = await build({
    entryPoints: Object.entries(scripts).map(([path, url]) => ({
      in: fileURLToPath(url),
      out: path.slice(1, -".js".length),
    })),
    bundle: true,
    splitting: true,
    platform: "browser",
    format: "esm",
    // Without the runtime's own loader inside: it is fetched from where wasmPaths says.
    conditions: ["onnxruntime-web-use-extern-wasm"],
    banner: { js: banner },
    outdir: "/",
    write: false,
    logLevel: "silent",
  });
  const made = new Map(outputFiles.map(({ path, contents }) => [path, contents]));
  const fetched = new Set<string>();
  const server = createServer(({ url = "/" }, response) => {
    const ort = url.startsWith("/ort/");
    if (ort) fetched.add(basename(url));
    const body = ort
      ? readFileSync(join(ORT, basename(url)))
      : (made.get(url) ?? '<!doctype html><script type="module" src="/page.js"></script>');
    response.writeHead(200, { "content-type": TYPES[url.split(".").pop()!] ?? "text/html" }).end(body);
  });
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    fetched,
    close() {
      server.close();
      server.closeAllConnections();
    },
  };
}
