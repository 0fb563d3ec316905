// What a browser downloads of flockwork/graph: bundled and minified by esbuild, gzipped; what is imported later counts apart.
import { build, type Metafile } from "esbuild";
import { gzipSync } from "node:zlib";
import { fileURLToPath } from "node:url";
import { print } from "./contest.js";

/** Bytes, gzipped, of all that a page loads before it can build a graph. */
const REACH = 80 * 1024;

export async function bundle(): Promise<void> {
  const { outputFiles, metafile } = await build({
    entryPoints: [fileURLToPath(new URL("../../src/graph/index.ts", import.meta.url))],
    bundle: true,
    splitting: true,
    minify: true,
    format: "esm",
    platform: "browser",
    target: "es2022",
    outdir: "out",
    write: false,
    metafile: true,
  });
  const sizes = new Map(
    outputFiles.map(({ path, contents }) => [
      path.split("/").at(-1)!,
      gzipSync(contents, { level: 9 }).length,
    ]),
  );
  const chunks = byName(metafile);
  const main = atOnce(
    chunks,
    [...chunks].find(([, { entryPoint }]) => entryPoint?.endsWith("graph/index.ts"))![0],
  );
  const bytes = [...main].reduce((sum, name) => sum + sizes.get(name)!, 0);
  print({
    bench: "bundle",
    what: "flockwork/graph for a browser, gzipped, without engines",
    unit: "bytes",
    chunks: main.size,
    bytes,
    reach: REACH,
    ok: bytes < REACH,
  });
  for (const [name, { inputs }] of chunks)
    if (!main.has(name))
      print({
        bench: "bundle",
        what: "loaded when it is asked for",
        unit: "bytes",
        bytes: sizes.get(name),
        holds: [...new Set(Object.keys(inputs).map(packageOf))],
      });
}

function byName({ outputs }: Metafile): Map<string, Metafile["outputs"][string]> {
  return new Map(Object.entries(outputs).map(([path, output]) => [path.split("/").at(-1)!, output]));
}

/** The entry, and what it imports without being asked. */
function atOnce(chunks: ReadonlyMap<string, Metafile["outputs"][string]>, entry: string): Set<string> {
  const found = new Set<string>();
  const visit = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    for (const { kind, path } of chunks.get(name)!.imports)
      if (kind === "import-statement") visit(path.split("/").at(-1)!);
  };
  visit(entry);
  return found;
}

/** The package that a file is of. */
function packageOf(path: string): string {
  return /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? "flockwork";
}
