// Services in modules: worker threads, one run at a time each, kept between runs and killed on timeout.
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Worker } from "node:worker_threads";
import { FlockworkError } from "../ids/index.js";
import type { Payload } from "../wire/index.js";
import type { WorkerAnswer, WorkerRun } from "./module-worker.node.js";
import type { KillableRun, ModuleRunner } from "./runner.js";
import type { Job, ModuleService } from "./service.js";

const WORKER = new URL("./module-worker.node.js", import.meta.url);

export function workerModules(): ModuleRunner {
  const idle: Worker[] = [];
  const all = new Set<Worker>();

  function take(): Worker {
    const worker = idle.pop() ?? new Worker(WORKER);
    all.add(worker);
    worker.ref();
    return worker;
  }

  function end(worker: Worker): Promise<number> {
    all.delete(worker);
    return worker.terminate();
  }

  function run(service: ModuleService, job: Job, attempt: number): KillableRun {
    const worker = take();
    let over = false;
    const settled = new Promise<Payload>((solve, fail) => {
      const finish = () => {
        over = true;
        worker.removeAllListeners();
      };
      worker.once("message", (answer: WorkerAnswer) => {
        finish();
        worker.unref();
        idle.push(worker);
        if (answer.ok) solve(answer.payload);
        else fail(new ModuleFailure(answer.failure));
      });
      const died = (why: string) => {
        finish();
        void end(worker);
        fail(new FlockworkError("service_error", `The worker of ${service.module} ended: ${why}.`));
      };
      worker.once("error", (error) => died(error instanceof Error ? error.message : String(error)));
      worker.once("exit", (code) => died(`exit code ${code}`));
    });
    const message: WorkerRun = {
      module: moduleUrl(service.module),
      name: service.export ?? "default",
      kind: job.kind,
      // A copy: the frame it lies in may hold other jobs.
      bytes: job.bytes().slice(),
      inputs: job.inputs.map((input) => ({ kind: input.kind, bytes: input.bytes().slice() })),
      attempt,
    };
    worker.postMessage(message);
    return {
      settled,
      kill: () => {
        if (over) return;
        worker.removeAllListeners();
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
