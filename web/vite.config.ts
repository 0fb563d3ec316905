// Builds the pages and the browser's bundle into dist/web: hashed names under assets/, and each file in smaller forms beside it.
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { defineConfig, type Plugin } from "vite";

const here = fileURLToPath(new URL(".", import.meta.url));
const cache = fileURLToPath(new URL("../node_modules/.cache/flockwork-pages/", import.meta.url));
const out = fileURLToPath(new URL("../dist/web/", import.meta.url));

/** Already compressed, or too small to gain. */
const COMPRESSIBLE = new Set([".js", ".css", ".html", ".svg", ".wasm", ".webmanifest", ".txt"]);
const LEAST_BYTES = 512;
/** The last step of brotli takes seconds on what is large. */
const LARGE_BYTES = 1024 * 1024;
/** Here the last but one takes a minute. Only what has WebGPU is so large: only secure pages ask for it, and there every browser speaks brotli. */
const VAST_BYTES = 16e6;

function quality(bytes: number): number {
  return bytes > VAST_BYTES ? 9 : bytes > LARGE_BYTES ? 10 : 11;
}

/** What is large is compressed once, not with each build. */
function kept(plain: Buffer, form: string, make: () => Buffer): Buffer {
  if (plain.length < LARGE_BYTES) return make();
  const name = createHash("sha256").update(plain).digest("hex").slice(0, 32);
  const file = join(cache, `${name}.${form}`);
  if (existsSync(file)) return readFileSync(file);
  const made = make();
  mkdirSync(cache, { recursive: true });
  writeFileSync(file, made);
  return made;
}

function smallerForms(): Plugin {
  return {
    name: "smaller-forms",
    closeBundle() {
      for (const entry of readdirSync(out, { recursive: true, withFileTypes: true })) {
        const file = join(entry.parentPath, entry.name);
        if (!entry.isFile() || !COMPRESSIBLE.has(extname(file))) continue;
        const plain = readFileSync(file);
        if (plain.length < LEAST_BYTES) continue;
        const step = quality(plain.length);
        const params = { [constants.BROTLI_PARAM_QUALITY]: step };
        writeFileSync(
          `${file}.br`,
          kept(plain, `${step}.br`, () => brotliCompressSync(plain, { params })),
        );
        if (plain.length > VAST_BYTES) continue;
        writeFileSync(
          `${file}.gz`,
          kept(plain, "9.gz", () => gzipSync(plain, { level: 9 })),
        );
      }
    },
  };
}

export default defineConfig({
  root: here,
  logLevel: "warn",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  plugins: [smallerForms()],
  worker: { format: "es" },
  build: {
    outDir: out,
    emptyOutDir: true,
    target: "es2022",
    // Everything comes from the hub, also what is small: a strict policy knows no data URIs for scripts and styles.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rollupOptions: {
      input: {
        index: join(here, "index.html"),
        dashboard: join(here, "dashboard.html"),
        flockwork: fileURLToPath(new URL("../src/flock/index.browser.ts", import.meta.url)),
      },
      preserveEntrySignatures: "exports-only",
      output: {
        // For other people's pages: a name that stays.
        entryFileNames: ({ name }) => (name === "flockwork" ? "flockwork.js" : "assets/[name]-[hash].js"),
      },
    },
  },
});
