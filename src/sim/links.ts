// The virtual links between nodes and the hub: made, broken, frozen, silent, left. Frames travel in simulation.ts.
import { FOR, uniform } from "./random.js";
import type { VirtualHub } from "./virtual-hub.js";
import { SILENT_MS } from "./virtual-hub.js";
import type { Report, VirtualNode } from "./virtual-node.js";

export const REDIAL_MS = 500;
/** Part of the breaks and crashes that the hub sees only by silence. */
const SILENT_PART = 0.3;

export interface LinkSurroundings {
  readonly now: number;
  readonly seed: number;
  readonly hub: VirtualHub;
  later(ms: number, then: () => void): void;
  report(node: VirtualNode, report: Report): void;
}

export class Links {
  constructor(private readonly world: LinkSurroundings) {}

  dial(node: VirtualNode): void {
    if (!node.alive || node.linked) return;
    if (!this.world.hub.up || node.frozenUntil > this.world.now) {
      this.redial(node, Math.max(REDIAL_MS, node.frozenUntil - this.world.now));
      return;
    }
    const epoch = ++node.epoch;
    this.world.later(2 * node.latencyMs, () => {
      if (node.epoch !== epoch || !node.alive) return;
      if (!this.world.hub.up) {
        this.redial(node, REDIAL_MS);
        return;
      }
      node.linked = true;
      this.world.hub.welcome(node);
      // Answers that may not have arrived are sent again.
      const again = node.unsent;
      node.unsent = [];
      for (const { report } of again) this.world.report(node, report);
    });
  }

  redial(node: VirtualNode, ms: number): void {
    this.world.later(ms, () => this.dial(node));
  }

  /** Frames on their way are lost, and so is what the hub may not have confirmed. */
  unlink(node: VirtualNode): void {
    node.linked = false;
    node.epoch++;
    node.unsent = node.unsent.filter((sent) => sent.arrivedAt + node.latencyMs > this.world.now);
  }

  breakLink(node: VirtualNode, ms: number): void {
    if (!node.linked) return;
    this.unlink(node);
    this.noticed(node);
    this.redial(node, ms);
  }

  /** The hub sees that the link has closed, at once or by its silence. */
  noticed(node: VirtualNode): void {
    const { epoch } = node;
    const seen = () => {
      if (node.epoch === epoch && !node.linked) this.world.hub.lost(node);
    };
    if (uniform(this.world.seed, FOR.silence, node.index * 1024 + (epoch % 1024)) < SILENT_PART)
      this.world.later(SILENT_MS, seen);
    else this.world.later(node.latencyMs, seen);
  }

  freeze(node: VirtualNode, ms: number): void {
    if (!node.alive) return;
    node.freeze(ms);
    if (!node.linked || ms <= SILENT_MS) return;
    const { epoch } = node;
    this.world.later(SILENT_MS, () => {
      if (node.epoch !== epoch || !node.linked) return;
      this.unlink(node);
      this.world.hub.lost(node);
      this.redial(node, node.frozenUntil - this.world.now);
    });
  }

  /** It says goodbye; what it held is gone with it. */
  leave(node: VirtualNode): void {
    if (!node.alive) return;
    const { linked } = node;
    node.die();
    if (linked) this.world.later(node.latencyMs, () => this.world.hub.left(node));
    else this.noticed(node);
  }

  leaveWhenIdle(node: VirtualNode): void {
    if (!node.alive || !node.idle || !node.linked) return;
    const { epoch } = node;
    // After its last answer has arrived, unless something came in between.
    this.world.later(4 * node.latencyMs, () => {
      if (node.alive && node.linked && node.epoch === epoch && node.idle && node.values.size === 0)
        this.leave(node);
    });
  }
}
