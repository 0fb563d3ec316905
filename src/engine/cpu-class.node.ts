// What kind of processor this is: machines of one class compute the same bits with the same engine.
import { readFileSync } from "node:fs";
import { arch, cpus } from "node:os";

/** Instruction sets by which engines choose their kernels, the best of each family first. */
const VECTORS = [
  ["amx_tile", "avx512_vnni", "avx512f", "avx_vnni", "avx2", "avx"],
  ["fma"],
  ["sve2", "sve", "asimd", "neon"],
  ["asimddp"],
  ["i8mm"],
];
const MOST = 128;

/** For example `x64 GenuineIntel 6/207 avx512_vnni fma`; the model's name where the system tells no more. */
export function cpuClass(): string {
  const said = cpuinfo();
  const maker = said.get("vendor_id") ?? said.get("cpu implementer");
  const family = [said.get("cpu family"), said.get("model") ?? said.get("cpu part")]
    .filter(Boolean)
    .join("/");
  const flags = new Set((said.get("flags") ?? said.get("features") ?? "").split(" "));
  const vectors = VECTORS.flatMap((names) => names.find((name) => flags.has(name)) ?? []);
  const words = maker ? [maker, family, ...vectors] : [deviceName()];
  return [arch(), ...words].join(" ").slice(0, MOST);
}

export function deviceName(): string {
  return (cpus()[0]?.model ?? "unknown").trim().replace(/\s+/g, " ").slice(0, MOST);
}

/** The first processor's lines of /proc/cpuinfo; empty where there is none. */
function cpuinfo(): Map<string, string> {
  let text = "";
  try {
    text = readFileSync("/proc/cpuinfo", "utf8");
  } catch {
    // Not Linux.
  }
  const lines = text.slice(0, text.indexOf("\n\n") + 1 || undefined).split("\n");
  return new Map(
    lines.flatMap((line) => {
      const at = line.indexOf(":");
      return at < 0 ? [] : [[line.slice(0, at).trim().toLowerCase(), line.slice(at + 1).trim()]];
    }),
  );
}
