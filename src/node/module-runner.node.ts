// Services in modules: worker threads, one run at a time each, kept between runs and killed on timeout.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { FlockworkError } from "../ids/index.js";
import type { Payload } from "../wire/index.js";
import type { WorkerAnswer, WorkerRun } from "./module-worker.node.js";
import type { AttemptFacts, KillableRun, ModuleRunner } from "./runner.js";
import type { Job, ModuleService } from "./service.js";

const WORKER = new URL("./module-worker.node.js", import.meta.url);

export function workerModules(): ModuleRunner {
  const idle: Worker[] = [];
  const all = new Set<Worker>();

  function take(): Worker {
    const worker = idle.pop() ?? start();
    worker.ref();
    return worker;
  }

  function start(): Worker {
    const worker = new Worker(WORKER);
    all.add(worker);
    // One that dies between runs is not taken again; while it runs, whoever runs it hears it too.
    worker.on("error", () => undefined);
    worker.once("exit", () => {
      all.delete(worker);
      const at = idle.indexOf(worker);
      if (at >= 0) idle.splice(at, 1);
    });
    return worker;
  }

  function end(worker: Worker): Promise<number> {
    all.delete(worker);
    return worker.terminate();
  }

  function run(service: ModuleService, job: Job, facts: AttemptFacts): KillableRun {
    const worker = take();
    let over = false;
    let finish!: () => void;
    const settled = new Promise<Payload>((solve, fail) => {
      const answered = (answer: WorkerAnswer) => {
        finish();
        worker.unref();
        idle.push(worker);
        if (answer.ok) solve(answer.payload);
        else fail(new ModuleFailure(answer.failure));
      };
      const died = (why: string) => {
        finish();
        void end(worker);
        fail(new FlockworkError("service_error", `The worker of ${service.module} ended: ${why}.`));
      };
      const threw = (error: unknown) => died(error instanceof Error ? error.message : String(error));
      const ended = (code: number) => died(`exit code ${code}`);
      // Each by name: removeAllListeners() would take the worker's own too, and it would never answer again.
      finish = () => {
        over = true;
        worker.off("message", answered).off("error", threw).off("exit", ended);
      };
      worker.on("message", answered).on("error", threw).on("exit", ended);
    });
    const message: WorkerRun = {
      module: moduleUrl(service.module),
      name: service.export ?? "default",
      kind: job.kind,
      // A copy: the frame it lies in may hold other jobs.
      bytes: job.bytes().slice(),
      inputs: job.inputs.map((input) => ({ kind: input.kind, bytes: input.bytes().slice() })),
      attempt: facts.attempt,
      client: facts.client,
      seq: facts.seq,
    };
    worker.postMessage(message);
    return {
      settled,
      kill: () => {
        if (over) return;
        finish();
        void end(worker);
      },
    };
  }

  return {
    run,
    close: async () => {
      await Promise.all([...all].map(end));
    },
  };
}

class ModuleFailure extends Error {
  readonly code: string;
  readonly retry: boolean;

  constructor(failure: { code: string; message: string; retry: boolean }) {
    super(failure.message);
    this.code = failure.code;
    this.retry = failure.retry;
  }
}

function moduleUrl(module: string): string {
  return module.startsWith("file:") ? module : pathToFileURL(resolve(module)).href;
}
