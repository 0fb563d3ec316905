// Another installation of this package, as an upgrade would leave it: a later version, with the same pages or newer ones.
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Puts it into `folder`; returns the path of its command. The pages' old assets stay beside the new ones. */
export function newerBuild(folder: string, pages: "newer" | "same"): string {
  mkdirSync(folder, { recursive: true });
  cpSync(join(ROOT, "dist"), join(folder, "dist"), { recursive: true });
  symlinkSync(join(ROOT, "node_modules"), join(folder, "node_modules"));
  const manifest = JSON.parse(readFileSync(join(ROOT, "package.json"), "utf8")) as object;
  writeFileSync(join(folder, "package.json"), JSON.stringify({ ...manifest, version: "99.0.0" }));
  if (pages === "newer") renew(join(folder, "dist/web"));
  return join(folder, "dist/cli/main.js");
}

function renew(web: string): void {
  const old = readdirSync(join(web, "assets")).find((name) => /^index-[\w-]{8}\.js$/.test(name))!;
  const name = "index-newer000.js";
  writeFileSync(join(web, "assets", name), `${readFileSync(join(web, "assets", old), "utf8")}\n`);
  const html = readFileSync(join(web, "index.html"), "utf8").replace(old, name);
  writeFileSync(join(web, "index.html"), html);
  for (const ending of [".br", ".gz"]) rmSync(join(web, `index.html${ending}`));
}
