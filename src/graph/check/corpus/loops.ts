// Loops that have no end, or one that nobody knows, and branches that are chosen while running.
import { graph, model, node, port, weights, type GraphInit } from "./build.js";
import type { Hostile } from "./case.js";

const scalar = (name: string, dtype: "int64" | "bool"): ReturnType<typeof port> => port(name, dtype, []);
const x = port("x", "float32", [2]);

/** A body that carries `a`, computed by `nodes`, and goes on. */
function body(nodes: GraphInit["nodes"], prefix = ""): ReturnType<typeof graph> {
  return graph({
    inputs: [
      scalar(`${prefix}i`, "int64"),
      scalar(`${prefix}go`, "bool"),
      port(`${prefix}a`, "float32", [2]),
    ],
    outputs: [scalar(`${prefix}go_on`, "bool"), { name: `${prefix}b` }],
    nodes: [node("Identity", [`${prefix}go`], [`${prefix}go_on`]), ...(nodes ?? [])],
  });
}

const step = node("Relu", ["a"], ["b"]);

function loop(inputs: readonly string[], own: ReturnType<typeof graph>, rest: GraphInit = {}): Uint8Array {
  return model({
    inputs: [x],
    outputs: [{ name: "y" }],
    nodes: [node("Loop", inputs, ["y"], { body: own })],
    initializers: [
      weights("n", "int64", [], [1e15]),
      weights("few", "int64", [], [3]),
      weights("yes", "bool", [], [1]),
    ],
    ...rest,
  });
}

/** Loops in loops, each of few rounds. */
function nested(depth: number): Uint8Array {
  let inner = body([node("Relu", [`p${depth}a`], [`p${depth}b`])], `p${depth}`);
  for (let i = depth - 1; i >= 0; i--)
    inner = body([node("Loop", ["thousand", "", `p${i}a`], [`p${i}b`], { body: inner })], `p${i}`);
  return model({
    inputs: [x],
    outputs: [{ name: "y" }],
    nodes: [node("Loop", ["thousand", "", "x"], ["y"], { body: inner })],
    initializers: [weights("thousand", "int64", [], [1000])],
  });
}

function branch(test: GraphInit): Uint8Array {
  const one = (operator: string): ReturnType<typeof graph> =>
    graph({ outputs: [{ name: `z_${operator}` }], nodes: [node(operator, ["x"], [`z_${operator}`])] });
  return model({
    inputs: [x, ...(test.inputs ?? [])],
    outputs: [{ name: "y" }],
    nodes: [node("If", ["test"], ["y"], { then_branch: one("Relu"), else_branch: one("LaunchMissiles") })],
    ...(test.initializers && { initializers: test.initializers }),
  });
}

export const loops: readonly Hostile[] = [
  ["a loop for ever", () => loop(["", "", "x"], body([step])), /constants/],
  ["a loop while true", () => loop(["", "yes", "x"], body([step])), /constants/],
  ["a loop of 10^15 rounds", () => loop(["n", "", "x"], body([step])), /operators/],
  [
    "a loop of 10^15 empty rounds",
    () =>
      loop(
        ["n", "", "x"],
        graph({
          inputs: [scalar("i", "int64"), scalar("go", "bool"), port("a", "float32", [2])],
          outputs: [scalar("go", "bool"), { name: "a" }],
        }),
      ),
    /operators/,
  ],
  [
    "a loop of less than no rounds",
    () => loop(["n", "", "x"], body([step]), { initializers: [weights("n", "int64", [], [-1])] }),
    /constants/,
  ],
  [
    "a loop as long as an input says",
    () => loop(["count", "", "x"], body([step]), { inputs: [x, scalar("count", "int64")] }),
    /constants/,
  ],
  [
    "a loop while an input says so",
    () => loop(["few", "going", "x"], body([step]), { inputs: [x, scalar("going", "bool")] }),
    /constants/,
  ],
  [
    "a loop that its body may end",
    () =>
      loop(
        ["few", "", "x"],
        graph({
          inputs: [scalar("i", "int64"), scalar("go", "bool"), port("a", "float32", [2])],
          outputs: [{ name: "stop" }, { name: "b" }],
          nodes: [step, node("Less", ["zero", "i"], ["stop"])],
          initializers: [weights("zero", "int64", [], [0])],
        }),
      ),
    /end it early/,
  ],
  [
    "a loop whose value grows",
    () => loop(["few", "", "x"], body([node("Concat", ["a", "a"], ["b"], { axis: 0 })])),
    /shapes must stay|says/,
  ],
  [
    "a loop whose value changes its dtype",
    () => loop(["few", "", "x"], body([node("Cast", ["a"], ["b"], { to: 11 })])),
    /shapes must stay|says/,
  ],
  ["loops in loops", () => nested(4), /operators/],
  ["loops in loops, deep", () => nested(30), /deep|operators/],
  [
    "a loop without a body",
    () =>
      model({
        inputs: [x],
        outputs: [{ name: "y" }],
        nodes: [node("Loop", ["n", "", "x"], ["y"])],
        initializers: [weights("n", "int64", [], [1])],
      }),
    /body/,
  ],
  [
    "a body of too few inputs",
    () =>
      loop(
        ["few", "", "x"],
        graph({ inputs: [scalar("i", "int64")], outputs: [scalar("i", "int64"), { name: "i" }] }),
      ),
    /inputs/,
  ],
  [
    "a body of too few outputs",
    () =>
      loop(
        ["few", "", "x"],
        graph({ inputs: [scalar("i", "int64"), scalar("go", "bool"), port("a", "float32", [2])] }),
      ),
    /gives 0/,
  ],
  [
    "a body with an unknown operator",
    () => loop(["few", "", "x"], body([node("LaunchMissiles", ["a"], ["b"])])),
    /LaunchMissiles/,
  ],
  [
    "a body that hides a name",
    () => loop(["few", "", "x"], body([node("Relu", ["a"], ["x"]), step])),
    /given twice/,
  ],
  [
    "a body that reads what comes later",
    () => loop(["few", "", "x"], body([node("Add", ["a", "y"], ["b"])])),
    /"y" is not defined/,
  ],
  [
    "a branch that an input chooses",
    () => branch({ inputs: [scalar("test", "bool")] }),
    /LaunchMissiles|condition/,
  ],
  [
    "a branch not taken, with an unknown operator",
    () => branch({ initializers: [weights("test", "bool", [], [1])] }),
    /LaunchMissiles/,
  ],
];
