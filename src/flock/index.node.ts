// The package's face in Node: join() for main and computing nodes, with the hub found or started.
import { join } from "node:path";
import {
  Flock,
  MainNode as ClientMainNode,
  type ClientRuntime,
  type FlockOptions,
  type MainNodeOptions,
} from "../client/index.js";
import { SOFTWARE } from "../hub/index.js";
import {
  ComputingNode as NodeComputingNode,
  type ComputingNodeOptions,
  type EngineOptions,
} from "../node/index.js";
import type { FiguresStore } from "../engine/engine-slots.js";
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
  join(options: JoinOptions<MainNodeOptions> = {}): Promise<ClientMainNode> {
    return joinOrStandIn(options, (own, runtime) => ClientMainNode.start(own, runtime));
  },
};

export type ConnectOptions = JoinOptions<FlockOptions>;

/**
 * Joins a hub as a client whose graphs nodes compute. Finds the hub as MainNode.join() does, and starts one inside this process
 * where there is none. Rejects with `version_mismatch`, `unauthorized`, `data_locked`.
 */
export function connect(options: ConnectOptions = {}): Promise<Flock> {
  return joinOrStandIn(options, (own, runtime) => Flock.start(own, runtime));
}

/** What this user's nodes have measured of their links and of their engines. */
const LINKS_FILE = "links.json";
const ENGINES_FILE = "engines.json";

/**
 * Engines for so many programs at once, each in a process of its own. Loaded when asked for: a node that offers services only
 * has none. `anew`: what was measured on an earlier visit does not count.
 */
export async function openEngines({
  anew = false,
  ...options
}: EngineOptions & { readonly slots: number; readonly anew?: boolean }): Promise<EngineSlots> {
  const [{ processSlots }, { figuresFile }] = await Promise.all([
    import("../engine/process/process-slots.node.js"),
    import("../engine/figures-file.node.js"),
  ]);
  const kept = figuresFile(join(defaultDataDir(), ENGINES_FILE));
  const figures: FiguresStore = anew ? { ...kept, read: () => Promise.resolve(undefined) } : kept;
  return processSlots({ ...options, figures });
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

/** What a client of either kind says when its link comes and goes. */
type Told = Pick<MainNodeOptions, "hub" | "onUp" | "onDown" | "onNotice">;

/** A client at the hub that was found, or at one inside this process, which leaves with it. */
async function joinOrStandIn<Options extends Told, Client extends { close(): Promise<void> }>(
  options: JoinOptions<Options> & Pick<Options, "onUp" | "onDown" | "onNotice">,
  start: (options: Options, runtime: ClientRuntime) => Promise<Client>,
): Promise<Client> {
  const target = await findHub(options, "main");
  const runtime = { dial: dialWith({ ca: target.ca }), software: SOFTWARE };
  const own = joined(options, target) as unknown as Options;
  if (!target.local) return start(own, runtime);
  const standIn = new StandIn(target.url, (error) => options.onNotice?.(error));
  await standIn.start();
  try {
    const client = await start(
      {
        ...own,
        onUp: () => {
          void standIn.up();
          options.onUp?.();
        },
        onDown: (reason: string) => {
          standIn.down();
          options.onDown?.(reason);
        },
      },
      runtime,
    );
    const close = client.close.bind(client);
    client.close = async () => {
      await close();
      await standIn.close();
    };
    await standIn.up();
    return client;
  } catch (error) {
    await standIn.close();
    throw error;
  }
}
