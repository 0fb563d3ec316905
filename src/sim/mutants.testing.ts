// For tests: the scheduler with one deliberate fault. Its source is patched while it is bundled, so nothing on disk changes.
import { build } from "esbuild";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import type { Brain } from "./brain.js";

export interface Fault {
  /** What somebody might get wrong. */
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const FAULTS: readonly Fault[] = [
  {
    name: "a superseded copy is not cancelled",
    file: "outcomes.ts",
    from: `this.cancelAttempts(task, "superseded");`,
    to: ``,
  },
  {
    name: "an answer to a solved task is told again",
    file: "outcomes.ts",
    from: `if (!task.open) {`,
    to: `if (task.state === T.OVER) {`,
  },
  {
    name: "a lost node's tasks are forgotten",
    file: "membership.ts",
    from: `if (!task.hasLiveAttempt) this.outcomes.tryAgain(task, true);`,
    to: ``,
  },
  { name: "a node that drains is given tasks", file: "node.ts", from: `&& !this.draining`, to: `` },
  {
    name: "a node in quarantine is given tasks",
    file: "node.ts",
    from: `&& this.quarantinedUntil === 0`,
    to: ``,
  },
  {
    name: "windows are taken to be one larger",
    file: "node.ts",
    from: `node.held < node.window`,
    to: `node.held <= node.window`,
  },
  {
    name: "any task may be copied",
    file: "core.ts",
    from: `return batch.idempotent ||`,
    to: `return true ||`,
  },
  {
    name: "a recalled task is not given again",
    file: "outcomes.ts",
    from: `core.free(attempt);\n      this.backToReady(task);`,
    to: `core.free(attempt);`,
  },
  {
    name: "attempts are tried without end",
    file: "outcomes.ts",
    from: `trouble.failed >= task.batch.maxAttempts`,
    to: `false`,
  },
  {
    name: "one failure is final",
    file: "outcomes.ts",
    from: `trouble.failed >= task.batch.maxAttempts`,
    to: `true`,
  },
  {
    name: "deadlines pass unseen",
    file: "outcomes.ts",
    from: `while (core.deadlines.topKey() <= core.now)`,
    to: `while (core.deadlines.topKey() < -core.now)`,
  },
  {
    name: "values are let go too early",
    file: "lineage.ts",
    from: `if (!value.released || value.needers.size > 0 || value.lost) return;`,
    to: `if (value.needers.size > 0 || value.lost) return;`,
  },
  {
    name: "released values stay at their nodes",
    file: "lineage.ts",
    from: `    for (const node of value.nodes) {\n      node.values.delete(value);\n      this.discard(node, value.ref);\n    }`,
    to: ``,
  },
  {
    name: "lost values are not made again",
    file: "lineage.ts",
    from: `if (value.lost && (value.needers.size > 0 || value.wanted)) this.revive(value.task);`,
    to: ``,
  },
  {
    name: "solved tasks are remembered for ever",
    file: "lineage.ts",
    from: `this.core.forget(next);`,
    to: ``,
  },
  {
    name: "what is held back is held for ever",
    file: "placement.ts",
    from: `this.core.holdTimers.set(group.hold, until);`,
    to: ``,
  },
  {
    name: "the grace never ends",
    file: "membership.ts",
    from: `if (!node.reachable) this.empty(node);`,
    to: `if (!node.reachable) void 0;`,
  },
  { name: "needs are not looked at", file: "needs.ts", from: `means.memoryMb >= memoryMb &&`, to: `true ||` },
  {
    name: "a full session is never served again",
    file: "share.ts",
    from: `for (const turn of this.turns) turn.group.unpark(turn);\n    return true;`,
    to: `return true;`,
  },
  {
    name: "dispatch goes on while paused",
    file: "placement.ts",
    from: `if (core.paused) return;\n    const groups`,
    to: `const groups`,
  },
  {
    name: "a ready task is told of inputs it lacks",
    file: "lineage.ts",
    from: `this.core.unqueue(needer);\n      this.core.setState(needer, T.BLOCKED);`,
    to: ``,
  },
  {
    name: "a task rests for ever",
    file: "core.ts",
    from: `this.restTimers.set(task, this.now + wait * (1 - 0.2 * this.random()));`,
    to: ``,
  },
];

const SCHEDULER = fileURLToPath(new URL("../scheduler/index.ts", import.meta.url));

export type SchedulerClass = new (options: object, seed: number) => Brain;

/** Bundles the scheduler, with this fault. */
export async function mutant(fault: Fault): Promise<SchedulerClass> {
  let hits = 0;
  const result = await build({
    entryPoints: [SCHEDULER],
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "silent",
    plugins: [
      {
        name: "fault",
        setup(plugin) {
          plugin.onLoad({ filter: /scheduler[\\/][a-z-]+\.ts$/ }, async ({ path }) => {
            const text = await readFile(path, "utf8");
            if (basename(path) !== fault.file) return { contents: text, loader: "ts" };
            hits += text.split(fault.from).length - 1;
            return { contents: text.replace(fault.from, () => fault.to), loader: "ts" };
          });
        },
      },
    ],
  });
  if (hits === 0) throw new Error(`"${fault.name}" finds nothing to patch in ${fault.file}`);
  const folder = mkdtempSync(join(tmpdir(), "flockwork-mutant-"));
  try {
    const file = join(folder, "scheduler.mjs");
    writeFileSync(file, result.outputFiles[0]!.text);
    const loaded = (await import(/* @vite-ignore */ pathToFileURL(file).href)) as {
      Scheduler: SchedulerClass;
    };
    return loaded.Scheduler;
  } finally {
    rmSync(folder, { recursive: true });
  }
}
