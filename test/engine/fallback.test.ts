// Where onnxruntime-node is not installed, which is optional, programs run on WebAssembly.
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";
import type * as slots from "../../src/engine/process/process-slots.node.js";
import { adds, ones } from "./engines.js";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** An installation of this package without one of its dependencies. */
function installedWithout(missing: string): string {
  const folder = mkdtempSync(join(tmpdir(), "without-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  const filter = (file: string): boolean => !file.endsWith(".map");
  cpSync(join(ROOT, "dist"), join(folder, "dist"), { recursive: true, filter });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  mkdirSync(join(folder, "node_modules"));
  for (const name of readdirSync(join(ROOT, "node_modules")))
    if (name !== missing) symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  return folder;
}

it("runs on onnxruntime-web without onnxruntime-node, and says so where that was asked for", async () => {
  const folder = installedWithout("onnxruntime-node");
  const { processSlots } = (await import(
    join(folder, "dist/engine/process/process-slots.node.js")
  )) as typeof slots;
  const engine = await processSlots({ slots: 1 });
  onTestFinished(() => engine.close());
  expect(engine.facts).toMatchObject({ name: "onnxruntime-web", provider: "wasm" });
  const { outputs } = await engine.run(adds(2), [ones]).settled;
  expect([...(outputs[0]!.data as Float32Array)]).toEqual([3, 3, 3]);
  await expect(processSlots({ slots: 1, provider: "cpu" })).rejects.toThrow(
    /onnxruntime-node is not installed/,
  );
});
