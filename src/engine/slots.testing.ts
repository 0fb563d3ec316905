// What tests of other floors run programs with: the native engine inside this process, and models small enough to read.
import { check, input, program, type Expression } from "../graph/index.js";
import type { Session } from "./engine.js";
import { ortNodeEngine } from "./ort-node.node.js";
import { EngineError, type EngineSlots, type ProgramRun } from "./slot.js";

/** The real engine, in this process: it can not be killed, so a killed run ends when it does. */
export async function inProcessSlots(): Promise<
  EngineSlots & { readonly ran: string[]; readonly loaded: string[] }
> {
  const engine = await ortNodeEngine();
  const sessions = new Map<string, Promise<Session>>();
  const ran: string[] = [];
  const loaded: string[] = [];
  async function load(hash: string, model: () => Promise<Uint8Array>): Promise<Session> {
    const bytes = await model();
    try {
      check(bytes);
    } catch (error) {
      throw new EngineError("program_refused", (error as Error).message, false, { cause: error });
    }
    loaded.push(hash);
    return engine.load(bytes);
  }
  return {
    ran,
    loaded,
    facts: {
      name: engine.name,
      version: engine.version,
      provider: "cpu",
      threads: 1,
      cpu: "test",
      dtypes: ["float32", "float64"],
    },
    run({ hash, model }, inputs): ProgramRun {
      let killed = false;
      const work = async () => {
        let session = sessions.get(hash);
        if (session === undefined) {
          session = load(hash, model);
          sessions.set(hash, session);
        }
        const { inputs: names, outputs, run } = await session;
        const from = performance.now();
        ran.push(hash);
        try {
          const results = await run(Object.fromEntries(names.map((name, i) => [name, inputs[i]!])));
          return { outputs: outputs.map((name) => results[name]!), ms: performance.now() - from };
        } catch (error) {
          throw new EngineError("program_error", (error as Error).message, false, { cause: error });
        }
      };
      return {
        settled: work().then((result) => (killed ? new Promise(() => undefined) : result)),
        kill: () => (killed = true),
      };
    },
    benchmark: () => Promise.resolve({ flops: 1e9, memory: 1e9, convolution: 1e9, callMs: 0.05 }),
    resize: () => undefined,
    close: async () => {
      for (const session of sessions.values())
        await session.then((each) => each.release()).catch(() => undefined);
    },
  };
}

export interface SampleProgram {
  readonly hash: string;
  readonly model: Uint8Array;
}

function sample(outputs: Record<string, Expression>): SampleProgram {
  const { hash, model } = program({ outputs });
  return { hash, model };
}

/** x + y, both float32 [n]. */
export function sumProgram(n: number): SampleProgram {
  return sample({ sum: input("x", "float32", [n]).add(input("y", "float32", [n])) });
}

/** Two outputs of x, float32 [n]: its sum, a scalar, and twice x. */
export function sumAndTwiceProgram(n: number): SampleProgram {
  const x = input("x", "float32", [n]);
  return sample({ sum: x.sum(), twice: x.add(x) });
}
