// Figures of this device's engines in one JSON file, so that a node need not measure at every start.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import * as v from "valibot";
import type { FiguresStore } from "./engine-slots.js";

const measure = v.pipe(v.number(), v.finite(), v.minValue(0));
const contents = v.record(
  v.string(),
  v.object({ flops: measure, memory: measure, convolution: measure, callMs: measure }),
);
type Contents = v.InferOutput<typeof contents>;

/** A file that is not there, cannot be written or is damaged means measuring anew, no more. */
export function figuresFile(path: string): FiguresStore {
  return {
    read: async (key) => (await all(path))[key],
    async write(key, figures) {
      const text = JSON.stringify({ ...(await all(path)), [key]: figures }, undefined, 2);
      try {
        await mkdir(dirname(path), { recursive: true });
        // Whole or not at all: another node may read it meanwhile.
        await writeFile(`${path}.${process.pid}`, text);
        await rename(`${path}.${process.pid}`, path);
      } catch {
        // The next visit measures again.
      }
    },
  };
}

async function all(path: string): Promise<Contents> {
  try {
    const read = v.safeParse(contents, JSON.parse(await readFile(path, "utf8")));
    return read.success ? read.output : {};
  } catch {
    return {};
  }
}
