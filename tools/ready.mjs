// Makes a fresh clone ready: installs what package-lock.json names, builds dist/ when a source is newer.
import { execSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

const root = new URL("..", import.meta.url).pathname;
const mtime = (path) => (existsSync(path) ? statSync(path).mtimeMs : 0);
const run = (command) => execSync(command, { cwd: root, stdio: ["ignore", "inherit", "inherit"] });

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(
    `flockwork: Node ${process.versions.node} is too old; install Node 20.19 or later (https://nodejs.org).`,
  );
  process.exit(1);
}
if (mtime(join(root, "node_modules/.package-lock.json")) < mtime(join(root, "package-lock.json"))) {
  console.error("flockwork: installing packages (once; better-sqlite3 may compile for a minute)...");
  run("npm ci --no-fund --no-audit --loglevel=error");
}

function newest(folder) {
  let latest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    latest = Math.max(latest, entry.isDirectory() ? newest(path) : mtime(path));
  }
  return latest;
}
const source = newest(join(root, "src"));
if (source > mtime(join(root, "dist/.tsbuildinfo"))) run("npx tsc -p tsconfig.build.json");
// Pages hold parts of src/ too.
const pages = mtime(join(root, "dist/web/index.html"));
if (Math.max(source, newest(join(root, "web"))) > pages) run("npm run --silent build:pages");
