// The package's face in Node: join() for main and computing nodes, with the hub found or started.
import { MainNode as ClientMainNode, type MainNodeOptions } from "../client/index.js";
import { SOFTWARE } from "../hub/index.js";
import { ComputingNode as NodeComputingNode, type ComputingNodeOptions } from "../node/index.js";
import { workerModules } from "../node/module-runner.node.js";
import { startBeat } from "../wire/beat.node.js";
import { dial } from "../wire/socket.node.js";
import { StandIn } from "./stand-in.node.js";
import { hubAddress } from "./where.node.js";

export * from "./exports.js";
export { startHub, type Hub, type HubOptions } from "../hub/index.js";
export { defaultDataDir, hubAddress, localPort } from "./where.node.js";

/** Options of a node or main node; without `hub`, FLOCKWORK_HUB or the hub on this machine is used. */
export type JoinOptions<Options extends { hub: string }> = Omit<Options, "hub"> & { readonly hub?: string };

export type MainNode = ClientMainNode;
export const MainNode = {
  /**
   * Joins a hub. Where `hub` and FLOCKWORK_HUB are absent and none runs on this machine, starts one inside this process,
   * which ends with it; another main node of this machine then takes its place. Rejects with `session_taken`,
   * `version_mismatch`, `data_locked`.
   */
  async join(options: JoinOptions<MainNodeOptions> = {}): Promise<ClientMainNode> {
    const hub = hubAddress(options.hub);
    const runtime = { dial, software: SOFTWARE };
    if (options.hub !== undefined || process.env["FLOCKWORK_HUB"] !== undefined)
      return ClientMainNode.start({ ...options, hub }, runtime);
    const standIn = new StandIn(hub, (error) => options.onNotice?.(error));
    await standIn.start();
    try {
      const main = await ClientMainNode.start(
        {
          ...options,
          hub,
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

export type ComputingNode = NodeComputingNode;
export const ComputingNode = {
  /** Joins a hub, and waits for one as long as none answers. Rejects with `bad_argument`, `version_mismatch`. */
  join(options: JoinOptions<ComputingNodeOptions>): Promise<NodeComputingNode> {
    const hub = hubAddress(options.hub);
    return NodeComputingNode.start(
      { ...options, hub },
      {
        dial,
        software: SOFTWARE,
        modules: workerModules,
        startBeat: (hello, url) => startBeat({ hello, url }),
      },
    );
  },
};

/** The hub inside this process leaves with its main node. */
function endWith(main: ClientMainNode, standIn: StandIn): void {
  const close = main.close.bind(main);
  main.close = async () => {
    await close();
    await standIn.close();
  };
}
