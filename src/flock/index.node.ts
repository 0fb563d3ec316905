// The package's face in Node: join() for main and computing nodes, with the hub found or started.
import { join } from "node:path";
import { MainNode as ClientMainNode, type MainNodeOptions } from "../client/index.js";
import { SOFTWARE } from "../hub/index.js";
import {
  ComputingNode as NodeComputingNode,
  type ComputingNodeOptions,
  type EngineOptions,
} from "../node/index.js";
import type { EngineSlots } from "../engine/slot.js";
import { workerModules } from "../node/module-runner.node.js";
import { fileNotes } from "../node/notes.node.js";
import { folderSpill } from "../node/values/spill.node.js";
import { startBeat } from "../wire/beat.node.js";
import { dialWith } from "../wire/socket.node.js";
import { StandIn } from "./stand-in.node.js";
import { defaultDataDir, findHub, type HubAccess, type HubTarget } from "./where.node.js";

export * from "./exports.js";
export { startHub, type Hub, type HubOptions } from "../hub/index.js";
export {
  defaultDataDir,
  findHub,
  hubAddress,
  localPort,
  type HubAccess,
  type HubTarget,
} from "./where.node.js";
export { announceHub } from "./discovery.node.js";

/** Options of a node or main node; without `hub`, FLOCKWORK_HUB or the hub on this machine is used. */
export type JoinOptions<Options extends { hub: string }> = Omit<Options, "hub" | "token"> & HubAccess;

export type MainNode = ClientMainNode;
export const MainNode = {
  /**
   * Joins a hub. Where `hub` and FLOCKWORK_HUB are absent and none runs on this machine, starts one inside this process,
   * which ends with it; another main node of this machine then takes its place. Rejects with `session_taken`,
   * `version_mismatch`, `data_locked`.
   */
  async join(options: JoinOptions<MainNodeOptions> = {}): Promise<ClientMainNode> {
    const target = await findHub(options, "main");
    const runtime = { dial: dialWith({ ca: target.ca }), software: SOFTWARE };
    if (!target.local) return ClientMainNode.start(joined(options, target), runtime);
    const standIn = new StandIn(target.url, (error) => options.onNotice?.(error));
    await standIn.start();
    try {
      const main = await ClientMainNode.start(
        {
          ...joined(options, target),
          onUp: () => {
            void standIn.up();
            options.onUp?.();
          },
          onDown: (reason) => {
            standIn.down();
            options.onDown?.(reason);
          },
        },
        runtime,
      );
      endWith(main, standIn);
      await standIn.up();
      return main;
    } catch (error) {
      await standIn.close();
      throw error;
    }
  },
};

/** What this user's nodes have measured of their links and of their engines. */
const LINKS_FILE = "links.json";
const ENGINES_FILE = "engines.json";

/** Engines for so many programs at once, each in a process of its own. Loaded when asked for: a node that offers services only has none. */
export async function openEngines(options: EngineOptions & { readonly slots: number }): Promise<EngineSlots> {
  const [{ processSlots }, { figuresFile }] = await Promise.all([
    import("../engine/process/process-slots.node.js"),
    import("../engine/figures-file.node.js"),
  ]);
  return processSlots({ ...options, figures: figuresFile(join(defaultDataDir(), ENGINES_FILE)) });
}

export type ComputingNode = NodeComputingNode;
export const ComputingNode = {
  /** Joins a hub, and waits for one as long as none answers. Rejects with `bad_argument`, `version_mismatch`. */
  async join(options: JoinOptions<ComputingNodeOptions>): Promise<NodeComputingNode> {
    const target = await findHub(options, "compute");
    const { ca } = target;
    return NodeComputingNode.start(joined(options, target), {
      dial: dialWith({ ca }),
      software: SOFTWARE,
      modules: workerModules,
      engine: openEngines,
      spill: folderSpill,
      notes: fileNotes(join(defaultDataDir(), LINKS_FILE)),
      startBeat: (hello, url, token) => startBeat({ hello, url, token, ca }),
    });
  },
};

/** A caller's options with the hub that was found. */
function joined<Options extends HubAccess>(
  { hub: _hub, token: _token, ...rest }: Options,
  { url, token }: HubTarget,
) {
  return { ...rest, hub: url, ...(token && { token }) };
}

/** The hub inside this process leaves with its main node. */
function endWith(main: ClientMainNode, standIn: StandIn): void {
  const close = main.close.bind(main);
  main.close = async () => {
    await close();
    await standIn.close();
  };
}
