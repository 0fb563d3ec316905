// The inside of an engine process: reads frames, runs programs, writes frames. Started by start-process.node.ts, never by hand.
import { decodeFrame, encodeFrame } from "../../wire/frame.js";
import type { FromEngine, ToEngine } from "../dialogue.js";
import { startEngine, type EngineOptions } from "../start-engine.node.js";
import { Sessions } from "../sessions.js";
import { PIPE_FD } from "./process-facts.node.js";
import { BlockingPipe } from "./pipe.node.js";

const options = JSON.parse(process.argv[2]!) as EngineOptions & { memory: number };
const pipe = new BlockingPipe(PIPE_FD);

function answer(message: FromEngine): void {
  pipe.write(encodeFrame([message]));
}

async function serve(): Promise<void> {
  const { engine, facts } = await startEngine(options);
  const sessions = new Sessions(engine, options.memory);
  answer({ t: "ready", facts });
  for (let frame = pipe.read(); frame; frame = pipe.read())
    for (const message of decodeFrame(frame) as ToEngine[])
      switch (message.t) {
        case "load":
          await sessions.load(message.program, message.model);
          break;
        case "drop":
          await sessions.drop(message.program);
          break;
        case "run":
          answer(await sessions.run(message));
          break;
        case "measure":
          throw new Error("not yet");
        default:
          message satisfies never;
      }
}

serve().then(
  () => process.exit(0),
  (error: unknown) => {
    answer({ t: "unfit", message: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  },
);
