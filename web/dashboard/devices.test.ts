// Which nodes the dashboard takes for one device.
import { expect, it } from "vitest";
import type { Node } from "./board.js";
import { devicesOf } from "./devices.js";

function node(number: number, labels: readonly string[], more: Partial<Node> = {}): Node {
  const counts = {
    running: 1,
    held: 2,
    solved: 10 * number,
    failed: 0,
    speed: number,
    bytesIn: 1,
    bytesOut: 2,
  };
  const facts = { kind: "computing", domain: "166", software: "x", slots: 2, services: [], joinedAt: "" };
  const doing = [{ service: "upper", since: number }];
  return {
    number,
    id: `n${number}`,
    labels,
    state: "running",
    quarantinedUntil: 0,
    doing,
    ...facts,
    ...counts,
    ...more,
  };
}

it("tabs of one browser are one device, and only those that are here", () => {
  const devices = devicesOf([
    node(1, ["browser", "device:a"], { state: "unknown" }),
    node(2, []),
    node(3, ["browser", "device:a"]),
    node(4, ["browser", "device:b"]),
    node(5, ["browser", "device:a"], { state: "stopped" }),
    node(6, ["browser", "device:a"], { domain: "other" }),
  ]);
  expect(devices.map(({ nodes }) => nodes.map(({ number }) => number))).toEqual([[1, 3], [2], [4], [5], [6]]);
  expect(devices[0]).toMatchObject({
    ...{ number: 3, id: "n3", state: "running", slots: 4, running: 2, held: 4, solved: 40, speed: 2 },
    doing: [{ since: 1 }, { since: 3 }],
  });
});
