// flockwork run: a script of the user's in a process of its own, told where the hub is, that can import this package wherever it lies.
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { constants } from "node:os";
import { dirname, extname, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import type { Command } from "commander";
import { FlockworkError } from "../ids/index.js";
import { remark } from "./screen.js";

interface RunFlags {
  readonly hub?: string;
  readonly token?: string;
  readonly insecure?: boolean;
}

const SCRIPTS: readonly string[] = [".js", ".mjs", ".cjs"];
const TYPED: readonly string[] = [".ts", ".mts", ".cts"];
const OWN_PACKAGE = new URL("./own-package.js", import.meta.url).href;

export function addRun(program: Command): void {
  // What follows the script is the script's.
  program.enablePositionalOptions();
  program
    .command("run")
    .description("Run a script that uses flockwork: JavaScript, or TypeScript where tsx is installed.")
    .argument("<script>", "for instance ./script.ts")
    .argument("[args...]", "the script's own arguments")
    .option(
      "--hub <address>",
      "address of the hub (default: FLOCKWORK_HUB, this machine, or found by --token)",
    )
    .option("--token <token>", "what the hub lets the script in by (default: FLOCKWORK_TOKEN)")
    .option("--insecure", "let it use a plain connection to another machine")
    .passThroughOptions()
    .action(run);
}

async function run(script: string, args: readonly string[], flags: RunFlags): Promise<void> {
  const path = resolve(script);
  if (!existsSync(path)) throw new FlockworkError("bad_argument", `${script}: there is no such file.`);
  const register = `data:text/javascript,import{register}from"node:module";register(${JSON.stringify(OWN_PACKAGE)})`;
  const child = spawn(process.execPath, ["--import", register, ...loaderFor(path), path, ...args], {
    stdio: "inherit",
    env: {
      ...process.env,
      ...(flags.hub !== undefined && { FLOCKWORK_HUB: flags.hub }),
      ...(flags.token !== undefined && { FLOCKWORK_TOKEN: flags.token }),
      ...(flags.insecure && { FLOCKWORK_INSECURE: "1" }),
    },
  });
  // Ctrl-C reaches the script by itself: how it ends is its own affair.
  process.on("SIGINT", () => undefined);
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  const code = await new Promise<number>((done, fail) => {
    child.once("error", fail);
    child.once("exit", (code, signal) => done(code ?? 128 + constants.signals[signal!]));
  });
  if (code === 1 && extname(path) === ".ts" && !inModulePackage(path))
    remark(
      `${path} was read as CommonJS, which has no import and no await outside functions: if that is why it failed, call it .mts, or put {"type": "module"} into a package.json beside it.`,
    );
  process.exitCode = code;
}

/** Node's options that make it read such a file. Throws `bad_argument` where nothing does. */
function loaderFor(path: string): readonly string[] {
  const kind = extname(path);
  if (SCRIPTS.includes(kind) || (TYPED.includes(kind) && runsTypes())) return [];
  if (!TYPED.includes(kind))
    throw new FlockworkError(
      "bad_argument",
      `${path} is no script: its name ends in none of ${[...SCRIPTS, ...TYPED].join(" ")}.`,
    );
  for (const from of [path, import.meta.filename])
    try {
      return ["--import", pathToFileURL(createRequire(from).resolve("tsx")).href];
    } catch {
      // Not there: perhaps beside us.
    }
  throw new FlockworkError(
    "bad_argument",
    `${path} is TypeScript, which Node ${process.versions.node} does not run by itself: install tsx beside it ("npm install tsx"), or give JavaScript.`,
  );
}

/** What the package.json above a file says of its kind of module, as Node reads it. */
function inModulePackage(path: string): boolean {
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    try {
      const { type } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as { type?: unknown };
      return type === "module";
    } catch {
      if (folder === dirname(folder)) return false;
    }
  }
}

/** Newer Nodes leave types out by themselves. */
function runsTypes(): boolean {
  return Boolean((process.features as { readonly typescript?: unknown }).typescript);
}
