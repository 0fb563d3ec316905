// One attempt at a program: its inputs into memory, the run in an engine slot, its outputs into the store.
import { FlockworkError } from "../../ids/index.js";
import type { EngineSlots, ProgramRun } from "../../engine/slot.js";
import { decodeTensor, encodeTensor, type Tensor } from "../../tensor/index.js";
import { sha256Hex, SMALL_VALUE } from "../../wire/index.js";
import type { KillableRun } from "../runner.js";
import { ServiceError } from "../service.js";
import type { Claim, ValueStore } from "../values/value-store.js";
import { expectHash, type InputFacts, type Provision } from "./provisions.js";

/** A task as a `compute` message names it. */
export interface ProgramTask {
  readonly program: string;
  readonly inputs: readonly InputFacts[];
  /** Names of what it makes. */
  readonly outputs: readonly string[];
  /** The answer is to say what the outputs' bytes hash to. */
  readonly hashed: boolean;
}

/** What a program made: small outputs with their bytes, the others are in the store. */
export interface Computed {
  /** In the engine. */
  readonly ms: number;
  readonly outputs: readonly {
    readonly bytes: number;
    readonly sha256?: string | undefined;
    readonly small?: Uint8Array | undefined;
  }[];
}

/** Starts it. `started` is called when the engine begins: what went before is not the program's time. */
export function runProgram(
  task: ProgramTask,
  provision: Provision,
  store: ValueStore,
  engine: EngineSlots,
  started: () => void,
): KillableRun<Computed> {
  let killed = false;
  let run: ProgramRun | undefined = undefined;
  let giveUp!: (why: FlockworkError) => void;
  const unwanted = new Promise<never>((_resolve, reject) => (giveUp = reject));
  unwanted.catch(() => undefined);

  async function inEngine(): Promise<{ outputs: readonly Tensor[]; ms: number }> {
    const claims = provision.inputs.filter((input): input is Claim => !(input instanceof Uint8Array));
    const lease = await store.lease(claims);
    try {
      let at = 0;
      const inputs: Tensor[] = [];
      for (const [i, input] of provision.inputs.entries()) {
        const bytes = input instanceof Uint8Array ? input : lease.data[at++]!;
        const facts = task.inputs[i]!;
        if (!(input instanceof Uint8Array)) await expectKnown(facts, input, bytes);
        inputs.push(tensorOf(facts.name, bytes));
      }
      expectWanted();
      started();
      run = engine.run({ hash: task.program, model: () => Promise.resolve(provision.model) }, inputs);
      // A killed run never settles.
      return await Promise.race([run.settled, unwanted]);
    } finally {
      lease.release();
    }
  }

  async function whole(): Promise<Computed> {
    const { outputs, ms } = await inEngine();
    expectWanted();
    if (outputs.length !== task.outputs.length)
      throw new ServiceError(
        `The program makes ${outputs.length} outputs, its task names ${task.outputs.length}.`,
        { code: "program_error", retry: false },
      );
    const kept: string[] = [];
    try {
      const made: Computed["outputs"][number][] = [];
      for (const [i, tensor] of outputs.entries()) {
        const data = encodeTensor(tensor);
        const sha256 = task.hashed ? await sha256Hex(data) : undefined;
        const small = data.length <= SMALL_VALUE;
        if (!small) {
          const name = task.outputs[i]!;
          if (!store.has(name)) kept.push(name);
          await store.put(name, data, sha256);
          expectWanted();
        }
        made.push({ bytes: data.length, sha256, small: small ? data : undefined });
      }
      return { ms, outputs: made };
    } catch (error) {
      // An attempt that fails leaves nothing.
      for (const name of kept) store.drop(name);
      throw error;
    }
  }

  function expectWanted(): void {
    if (killed) throw NOT_WANTED;
  }

  const settled = whole().finally(() => provision.leave());
  settled.catch(() => undefined);
  return {
    settled,
    kill: () => {
      killed = true;
      run?.kill();
      giveUp(NOT_WANTED);
    },
  };
}

/** Checks a value of the store once, where the task says what it must be. */
async function expectKnown(facts: InputFacts, claim: Claim, bytes: Uint8Array): Promise<void> {
  if (facts.sha256 === undefined || claim.sha256 === facts.sha256) return;
  await expectHash(facts, bytes);
  claim.sha256 = facts.sha256;
}

function tensorOf(name: string, bytes: Uint8Array): Tensor {
  try {
    return decodeTensor(bytes);
  } catch (error) {
    throw new FlockworkError(
      "wrong_result",
      `Value ${name} is no tensor: ${error instanceof Error ? error.message : String(error)}.`,
      { cause: error },
    );
  }
}

const NOT_WANTED = new FlockworkError("cancelled", "This attempt is not wanted any more.");
