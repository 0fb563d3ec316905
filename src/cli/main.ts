#!/usr/bin/env node
// The command `flockwork`: one file per subcommand, put together here.
import { Command, CommanderError } from "commander";
import { VERSION } from "../hub/index.js";
import { addBench } from "./bench.js";
import { addComputingNode } from "./computing-node.js";
import { addDemo } from "./demo.js";
import { addGraphs } from "./graphs.js";
import { addMainNode } from "./main-node.js";
import { addNode } from "./node.js";
import { addReplay } from "./replay.js";
import { addRun } from "./run.js";
import { complain, remark } from "./screen.js";
import { addSim } from "./sim.js";
import { addStatus } from "./status.js";
import { addToken } from "./token.js";
import { addUp } from "./up.js";

const program = new Command("flockwork")
  .description("One machine for machine learning from the browsers, laptops and servers you already have.")
  .version(VERSION)
  // One line, as every other mistake gets. The subcommands inherit both.
  .configureOutput({ outputError: (text) => remark(`${text.replace(/^error: /, "").trim()} (see --help)`) })
  .exitOverride();

for (const add of [
  addDemo,
  addUp,
  addMainNode,
  addComputingNode,
  addNode,
  addRun,
  addGraphs,
  addBench,
  addStatus,
  addToken,
  addReplay,
  addSim,
])
  add(program);

// `flockwork up | head` closes our output: nobody reads any more, so there is nothing left to do.
process.stdout.on("error", (error: NodeJS.ErrnoException) => process.exit(error.code === "EPIPE" ? 0 : 1));
// A command that another one started (the demo's nodes) ends with it.
if (process.connected === false) process.exit();
process.channel?.unref();
process.on("disconnect", () => process.exit());

// Some of what a command waits for keeps no process alive by itself (AbortSignal.timeout, an idle worker).
setInterval(() => undefined, 2 ** 31 - 1);

try {
  await program.parseAsync();
} catch (error) {
  if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
  else {
    complain(error);
    process.exitCode = 1;
  }
}
// What is still open (an idle worker, a link on its way down) must not keep a finished command alive.
process.exit();
