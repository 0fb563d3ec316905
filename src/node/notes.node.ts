// Notes in a file: what nodes of this user measured, for their next visit. A file that can not be read or written costs a measurement.
import { mkdir, readFile, rename, writeFile } from "node:fs/promises";
import { dirname } from "node:path";
import type { Notes } from "./node-options.js";

/** Notes beyond these go, the oldest first: a hub on a free port has another address each time. */
const MOST = 100;

/** Notes in a JSON file of this path. Several processes may share it: the last to write a note wins. */
export function fileNotes(path: string): Notes {
  let turn: Promise<void> = Promise.resolve();

  async function all(): Promise<Record<string, unknown>> {
    try {
      const read: unknown = JSON.parse(await readFile(path, "utf8"));
      return typeof read === "object" && read !== null ? (read as Record<string, unknown>) : {};
    } catch {
      return {};
    }
  }

  async function add(name: string, value: unknown): Promise<void> {
    const { [name]: _old, ...others } = await all();
    const kept = [...Object.entries(others), [name, value]].slice(-MOST);
    const text = JSON.stringify(Object.fromEntries(kept), undefined, 2);
    const fresh = `${path}.${process.pid}`;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(fresh, text, { mode: 0o600 });
    await rename(fresh, path);
  }

  return {
    read: async (name) => (await all())[name],
    write(name, value) {
      turn = turn.then(() => add(name, value)).catch(() => undefined);
      return turn;
    },
  };
}
