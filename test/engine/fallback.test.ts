// Where onnxruntime-node is not installed, which is optional, programs run on WebAssembly.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, it, onTestFinished } from "vitest";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** An installation of this package without one of its dependencies. */
function installedWithout(missing: string): string {
  const folder = mkdtempSync(join(tmpdir(), "without-"));
  onTestFinished(() => {
    rmSync(folder, { recursive: true });
  });
  cpSync(join(ROOT, "dist"), join(folder, "dist"), { recursive: true });
  writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
  mkdirSync(join(folder, "node_modules"));
  for (const name of readdirSync(join(ROOT, "node_modules")))
    if (name !== missing) symlinkSync(join(ROOT, "node_modules", name), join(folder, "node_modules", name));
  return folder;
}

const SCRIPT = `
  import { processSlots } from "./dist/engine/process/process-slots.node.js";
  import { input, program, toTensor } from "./dist/graph/index.js";
  const slots = await processSlots({ slots: 1 });
  const { hash, model } = program({ outputs: { y: input("x", "float32", [2]).add(1) } });
  const run = slots.run({ hash, model: () => Promise.resolve(model) }, [toTensor([1, 2])]);
  const { outputs } = await run.settled;
  await slots.close();
  const refusal = await processSlots({ slots: 1, provider: "cpu" }).catch((error) => error.message);
  process.stdout.write([slots.facts.name, slots.facts.provider, outputs[0], refusal].join("\\n"));
`;

it("runs on onnxruntime-web without onnxruntime-node, and says so where that was asked for", () => {
  const cwd = installedWithout("onnxruntime-node");
  const said = execFileSync(process.execPath, ["--input-type=module", "-e", SCRIPT], {
    cwd,
    encoding: "utf8",
  });
  expect(said.split("\n")).toEqual([
    "onnxruntime-web",
    "wasm",
    "Tensor float32 [2] 2 3",
    expect.stringContaining("onnxruntime-node is not installed"),
  ]);
});
