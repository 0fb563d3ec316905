// An engine in a process of its own: a crash or an endless loop costs a run, not the node.
import { spawn } from "node:child_process";
import { once } from "node:events";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { decodeFrame } from "../../wire/frame.js";
import type { EngineEnd, EnginePlace, StartPlace } from "../place.js";
import {
  LANES,
  LIFELINE_FD,
  PIPE_FD,
  TOO_MUCH,
  type EngineProcessOptions,
  type FromProcess,
  type ToProcess,
} from "./facts.node.js";
import { FrameReader, framePieces } from "./frames.node.js";
import { Lanes } from "./lanes.node.js";

// From source the process still runs from dist/.
const beside = import.meta.url.endsWith(".ts") ? "../../../dist/engine/process" : ".";
const ENTRY = fileURLToPath(new URL(`${beside}/engine-process.node.js`, import.meta.url));

/** What is kept of the process's last words. */
const LAST_WORDS = 500;

export function processPlace(options: EngineProcessOptions): StartPlace {
  return (listener) => {
    const lanes = new Lanes(LANES);
    const child = spawn(process.execPath, [ENTRY, JSON.stringify(options)], {
      stdio: ["ignore", "ignore", "pipe", "pipe", "pipe", ...lanes.fds],
      env: environment(),
    });
    const notStarted = ({ message }: Error): EngineEnd => ({
      code: "engine_crashed",
      message: `The engine's process does not start: ${message}`,
    });
    if (child.pid === undefined) {
      // The system has no more processes or files: there are no pipes either.
      lanes.close();
      child.on("error", (error) => {
        listener.ended(notStarted(error));
      });
      return NOWHERE;
    }
    const [pipe, lifeline] = [child.stdio[PIPE_FD] as Socket, child.stdio[LIFELINE_FD] as Socket];
    const errors = child.stderr as Socket;
    let over = false;
    let said = "";
    let tooMuch = false;
    const end = (why: EngineEnd): void => {
      if (over) return;
      over = true;
      lanes.close();
      child.kill("SIGKILL");
      listener.ended(why);
    };
    const reader = new FrameReader();
    pipe.on("data", (bytes: Buffer) => {
      try {
        reader.push(bytes, (frame) => {
          for (const message of decodeFrame(frame) as FromProcess[])
            if (!over) listener.message(lanes.received(message));
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
    child.on("error", (error) => {
      end(notStarted(error));
    });
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
        const sent = messages.map((message) => lanes.toSend(message));
        for (const piece of framePieces(sent, bytesOf(sent))) pipe.write(piece);
        pipe.uncork();
      },
      busy(yes) {
        for (const each of [child, pipe, lifeline, errors])
          if (yes) each.ref();
          else each.unref();
      },
      async kill() {
        if (!over) lanes.close();
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

const NOWHERE: EnginePlace = {
  send: () => undefined,
  busy: () => undefined,
  kill: () => Promise.resolve(),
};

function bytesOf(messages: readonly ToProcess[]): number {
  let bytes = 0;
  for (const message of messages)
    if (message.t === "run") for (const { length } of message.data) bytes += length;
    else if (message.t === "load") bytes += message.model.length;
  return bytes;
}

/**
 * An engine needs nothing that changes how Node starts, and none of our secrets. Large pages make new memory, which each output needs,
 * two to three times cheaper; where the C library is not glibc nobody reads this.
 */
function environment(): NodeJS.ProcessEnv {
  return {
    GLIBC_TUNABLES: "glibc.malloc.hugetlb=1",
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(NODE_|FLOCKWORK_)/.test(name))),
  };
}
