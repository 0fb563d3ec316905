// An engine in a process of its own: a crash or an endless loop costs a run, not the node.
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { decodeFrame } from "../../wire/frame.js";
import type { FromEngine, ToEngine } from "../dialogue.js";
import type { EngineEnd, StartPlace } from "../place.js";
import { LIFELINE_FD, PIPE_FD, TOO_MUCH, type EngineProcessOptions } from "./facts.node.js";
import { FrameReader, framePieces } from "./frames.node.js";

// From source the process still runs from dist/.
const beside = import.meta.url.endsWith(".ts") ? "../../../dist/engine/process" : ".";
const ENTRY = fileURLToPath(new URL(`${beside}/engine-process.node.js`, import.meta.url));

/** What is kept of the process's last words. */
const LAST_WORDS = 500;

export function processPlace(options: EngineProcessOptions): StartPlace {
  return (listener) => {
    const child = spawn(process.execPath, [ENTRY, JSON.stringify(options)], {
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe"],
      env: environment(),
    });
    const [pipe, lifeline] = [child.stdio[PIPE_FD] as Socket, child.stdio[LIFELINE_FD] as Socket];
    const errors = child.stderr as Socket;
    let over = false;
    let said = "";
    let tooMuch = false;
    const end = (why: EngineEnd): void => {
      if (over) return;
      over = true;
      child.kill("SIGKILL");
      listener.ended(why);
    };
    const reader = new FrameReader();
    pipe.on("data", (bytes: Buffer) => {
      try {
        reader.push(bytes, (frame) => {
          for (const message of decodeFrame(frame) as FromEngine[]) if (!over) listener.message(message);
        });
      } catch (error) {
        end({ code: "engine_crashed", message: `The engine talks nonsense: ${String(error)}` });
      }
    });
    lifeline.on("data", (bytes: Buffer) => {
      tooMuch ||= bytes.includes(TOO_MUCH);
    });
    errors.setEncoding("utf8").on("data", (text: string) => {
      said = (said + text).slice(-LAST_WORDS);
    });
    // How the process ended tells more.
    for (const each of [pipe, lifeline, errors]) each.on("error", () => undefined);
    child.on("error", ({ message }) =>
      end({ code: "engine_crashed", message: `The engine's process does not start: ${message}` }),
    );
    // After all that it had still said has been heard.
    child.on("close", (code, signal) =>
      end(
        tooMuch
          ? {
              code: "out_of_memory",
              message: `The program took more than ${Math.round(options.growth / 2 ** 20)} MiB, which is what programs may take here.`,
            }
          : {
              code: "engine_crashed",
              message: `The engine's process ended by ${signal ?? `exit code ${code}`}${said.trim() === "" ? "." : `: ${said.trim()}`}`,
            },
      ),
    );
    return {
      send(messages) {
        if (over) return;
        pipe.cork();
        for (const piece of framePieces(messages, bytesOf(messages))) pipe.write(piece);
        pipe.uncork();
      },
      busy(yes) {
        for (const each of [child, pipe, lifeline, errors])
          if (yes) each.ref();
          else each.unref();
      },
      async kill() {
        over = true;
        if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
        const gone = once(child, "exit");
        child.ref();
        child.kill("SIGKILL");
        await gone;
      },
    };
  };
}

function bytesOf(messages: readonly ToEngine[]): number {
  let bytes = 0;
  for (const message of messages)
    if (message.t === "run") for (const { length } of message.data) bytes += length;
    else if (message.t === "load") bytes += message.model.length;
  return bytes;
}

/** An engine needs nothing that changes how Node starts, and none of our secrets. */
function environment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(NODE_|FLOCKWORK_)/.test(name)),
  );
}
