// A second heart for Node: a thread with a hub connection of its own, which beats while this thread computes without yielding.
import { Worker } from "node:worker_threads";
import type { MessageOf } from "./messages.js";
import type { Token } from "./token.js";

export interface BeatOptions {
  readonly url: string;
  /** The hello of the beat connection: role "beat", session = the id of the node it speaks for. */
  readonly hello: MessageOf<"hello">;
  readonly token?: Token | undefined;
  /** Certificates to trust besides the system's, as PEM text. */
  readonly ca?: string | undefined;
  /** The thread died of this. Without it the process does, as of any uncaught error. */
  readonly onError?: (error: Error) => void;
}

/** What the thread is given. */
export type BeatData = Omit<BeatOptions, "onError">;

/** Starts the thread. It reconnects for ever, does not keep the process alive, and dies with it. */
export function startBeat({ url, hello, token, ca, onError }: BeatOptions): { close(): void } {
  // A thread can not run TypeScript: run from source (vitest, tsx), this takes the thread's file from the last build.
  const beside = import.meta.url.endsWith(".ts") ? "../../dist/wire" : ".";
  const worker = new Worker(new URL(`${beside}/beat.worker.node.js`, import.meta.url), {
    name: "flockwork-beat",
    workerData: { url, hello, token, ca } satisfies BeatData,
    // The process's own flags (-e, --input-type, --inspect) are not for this thread.
    execArgv: [],
  });
  if (onError) worker.on("error", onError);
  worker.unref();
  return {
    close: () => worker.postMessage("close"),
  };
}
