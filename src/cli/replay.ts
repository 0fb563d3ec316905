// flockwork replay: plays a recording through the scheduler, prints what happened when, and whether it is the same again.
import { createReadStream } from "node:fs";
import { createInterface } from "node:readline";
import type { Command } from "commander";
import { FlockworkError } from "../ids/index.js";
import type { SchedulerEffect, SchedulerEvent } from "../scheduler/index.js";
import { replay } from "../sim/index.js";
import { wholeNumber } from "./arguments.js";
import { bold, dim, green, red, say } from "./screen.js";

export function addReplay(program: Command): void {
  program
    .command("replay")
    .description("Play a recording of flockwork up --record again, and print its timeline.")
    .argument("<file>", "the recording")
    .option(
      "--lines <n>",
      "print at most this many lines of the timeline",
      wholeNumber("--lines", 0, 1_000_000_000),
      200,
    )
    .action(run);
}

async function run(file: string, flags: { readonly lines: number }): Promise<void> {
  const input = createReadStream(file, "utf8");
  const opened = new Promise<void>((resolve, reject) => {
    input.once("open", () => resolve());
    input.once("error", (error) =>
      reject(new FlockworkError("bad_argument", `The recording can not be read: ${error.message}.`)),
    );
  });
  await opened;
  let start = 0;
  let printed = 0;
  let hidden = 0;
  const result = await replay(
    createInterface({ input, crlfDelay: Infinity }),
    file,
    (event, effects, now) => {
      start ||= now;
      const what = tell(event, effects);
      if (what === "") return;
      if (printed < flags.lines) {
        say(`${dim(`+${((now - start) / 1000).toFixed(3)} s`.padStart(12))}  ${what}`);
        printed++;
      } else hidden++;
    },
  );
  if (hidden > 0) say(dim(`  ... ${hidden} more lines; --lines shows more`));
  const seconds = ((result.to - result.from) / 1000).toFixed(3);
  say(`${bold(String(result.events))} events in ${seconds} s from ${new Date(result.from).toISOString()}`);
  if (result.cut) say("The recording ends in the middle of a line: its process was killed.");
  if (result.differsBy !== null) {
    say(
      red(
        `digest ${result.digest}: decisions differ from those recorded, by event ${result.differsBy} at the latest`,
      ),
    );
    process.exitCode = 1;
  } else if (result.compared > 0) say(green(`digest ${result.digest}, as recorded`));
  else say(`digest ${result.digest}; the recording holds none to compare it with`);
}

/** One line for an event and what came of it; empty when that is nothing but the passing of time. */
function tell(event: SchedulerEvent<null>, effects: readonly SchedulerEffect<null>[]): string {
  const outcome = effects.map(effectText).join(", ");
  const what = eventText(event);
  if (what === "" && outcome === "") return "";
  return outcome === "" ? what : `${what === "" ? "a timer" : what}: ${outcome}`;
}

function eventText(event: SchedulerEvent<null>): string {
  switch (event.type) {
    case "TasksSubmitted": {
      const { first, tags, service, session } = event.batch;
      return `${session} submits ${numbers(first, tags.length)} (${service})`;
    }
    case "AttemptsDone":
      return `${event.node} answers ${event.tasks.length === 1 ? `task ${event.tasks[0]}` : `${event.tasks.length} tasks`}`;
    case "AttemptFailed":
      return `${event.node} fails task ${event.task} (${event.code})`;
    case "AttemptsDropped":
      return `${event.node} gives back ${event.tasks.length}`;
    case "NodeJoined":
      return `${event.node} joins, ${event.slots} slots: ${event.services.join(", ")}`;
    case "NodeResumed":
      return `${event.node} is back with ${event.running.length} tasks`;
    case "NodeWindow":
      return `${event.node} wants up to ${event.window}`;
    case "NodeSlots":
      return `${event.node} has ${event.slots} slots`;
    case "NodeUnreachable":
    case "NodeLeft":
    case "NodeDraining":
      return `${event.node} ${{ NodeUnreachable: "is unreachable", NodeLeft: "is gone", NodeDraining: "drains" }[event.type]}`;
    case "TasksCancelled":
      return `${event.tasks.length} tasks are cancelled`;
    case "Tick":
      return "";
    case "DispatchPaused":
    case "DispatchResumed":
      return event.type === "DispatchPaused" ? "dispatch pauses" : "dispatch goes on";
    case "NodeLabels":
      return `${event.node} has the labels ${event.labels.join(", ")}`;
    case "NodeLink":
      return `${event.node} moves ${Math.round(event.bytesPerMs / 1000)} MB/s`;
    case "NodeDistrusted":
      return `${event.node} is not trusted: ${event.why}`;
    case "ValueGiven":
      return `value ${event.value.task} is given`;
    case "ValuesWanted":
      return `${event.values.length} values are wanted`;
    case "ValuesReleased":
      return `${event.values.length} values are let go`;
    case "ValueCopied":
    case "ValueLost":
      return `value ${event.value.task}.${event.value.output} ${event.type === "ValueCopied" ? "is now at" : "is lost at"} ${event.place}`;
    case "SessionShare":
      return `${event.session} has weight ${event.weight ?? 1}`;
    default:
      return event satisfies never;
  }
}

function effectText(effect: SchedulerEffect<null>): string {
  switch (effect.type) {
    case "Dispatch":
      return `${effect.assignments.length === 1 ? `task ${effect.assignments[0]!.task}` : effect.assignments.length} to ${effect.node}`;
    case "Cancel":
      return `${effect.node} to stop ${effect.attempts.length} (${effect.why})`;
    case "Recall":
      return `${effect.attempts.length} asked back from ${effect.node}`;
    case "Solved":
      return `${effect.tasks.length} solved`;
    case "Failed":
      return `task ${effect.task} has failed (${effect.code})`;
    case "Quarantined":
      return `${effect.node} in quarantine: ${effect.why}`;
    case "Recomputed":
      return `${effect.tasks.length} computed again`;
    case "ValuesGone":
      return `task ${effect.task} has lost values for good`;
    case "Release":
      return `${effect.values.length} values let go at ${effect.place}`;
    default:
      return effect satisfies never;
  }
}

function numbers(first: number, count: number): string {
  return count === 1 ? `task ${first}` : `tasks ${first} to ${first + count - 1}`;
}
