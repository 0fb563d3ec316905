// An engine in a process of its own: a crash or an endless loop costs a run, not the node.
import { spawn, type ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { decodeFrame, encodeFrame } from "../../wire/frame.js";
import type { FromEngine } from "../dialogue.js";
import type { EngineEnd, EnginePlace, StartPlace } from "../place.js";
import type { EngineOptions } from "../start-engine.node.js";
import { FrameReader, prefixOf } from "./frames.node.js";
import { PIPE_FD } from "./process-facts.node.js";

export interface ProcessOptions extends EngineOptions {
  /** Bytes that a program may need, and that the process may take beside what it takes when it is idle. */
  readonly memory: number;
}

// From source the process still runs from dist/.
const beside = import.meta.url.endsWith(".ts") ? "../../../dist/engine/process" : ".";
const ENTRY = fileURLToPath(new URL(`${beside}/engine-process.node.js`, import.meta.url));

export function processPlace(options: ProcessOptions): StartPlace {
  return (listener) => {
    const child = spawn(process.execPath, [ENTRY, JSON.stringify(options)], {
      stdio: ["ignore", "ignore", "pipe", "pipe"],
      env: environment(),
    });
    const pipe = child.stdio[PIPE_FD] as Socket;
    const reader = new FrameReader();
    let over = false;
    const last = lastWords(child);
    const end = (why: EngineEnd): void => {
      if (over) return;
      over = true;
      child.kill("SIGKILL");
      listener.ended(why);
    };
    pipe.on("data", (bytes: Buffer) => {
      reader.push(bytes, (frame) => {
        if (over) return;
        for (const message of decodeFrame(frame) as FromEngine[]) listener.message(message);
      });
    });
    // The exit says why.
    pipe.on("error", () => undefined);
    child.on("error", (error) =>
      end({ code: "engine_crashed", message: `The engine's process does not start: ${error.message}` }),
    );
    child.on("exit", (code, signal) =>
      end({
        code: "engine_crashed",
        message: `The engine's process ended (${signal ?? `exit code ${code}`})${last()}`,
      }),
    );
    const place: EnginePlace = {
      send(messages) {
        if (over) return;
        const frame = encodeFrame(messages);
        pipe.cork();
        pipe.write(prefixOf(frame));
        pipe.write(frame);
        pipe.uncork();
      },
      busy(yes) {
        for (const each of [child, pipe, child.stderr as Socket])
          if (yes) each.ref();
          else each.unref();
      },
      kill() {
        over = true;
        child.kill("SIGKILL");
      },
    };
    return place;
  };
}

/** What of this process's environment an engine has no use for: what changes Node, and secrets. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NODE_|FLOCKWORK_)/.test(name)),
  );
}

/** The end of what the process wrote to stderr. */
function lastWords(child: ChildProcess): () => string {
  let said = "";
  child.stderr!.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(-500);
  });
  return () => (said.trim() === "" ? "." : `: ${said.trim()}`);
}
