// Operators, domains and functions that nobody here knows.
import { graph, model, node, port, single } from "./build.js";
import type { Hostile } from "./case.js";

const x = port("x", "float32", [2, 3]);
const y = port("y", "float32", [2, 3]);
const relu = node("Relu", ["x"], ["y"]);

export const unknown: readonly Hostile[] = [
  ["an operator nobody knows", () => single("LaunchMissiles"), /LaunchMissiles/],
  [
    "a domain of somebody else",
    () =>
      model({ inputs: [x], outputs: [y], nodes: [node("Relu", ["x"], ["y"], {}, { domain: "com.evil" })] }),
    /com\.evil/,
  ],
  [
    "a domain imported and not used",
    () =>
      model(
        { inputs: [x], outputs: [y], nodes: [relu] },
        {
          opsetImport: [
            { domain: "", version: 21n },
            { domain: "com.evil", version: 1n },
          ],
        },
      ),
    /com\.evil/,
  ],
  [
    "Microsoft's own operators",
    () =>
      model({
        inputs: [x],
        outputs: [y],
        nodes: [node("Gelu", ["x"], ["y"], {}, { domain: "com.microsoft" })],
      }),
    /com\.microsoft/,
  ],
  [
    "a preview domain",
    () =>
      model({
        inputs: [x],
        outputs: [y],
        nodes: [node("Adam", ["x"], ["y"], {}, { domain: "ai.onnx.preview.training" })],
      }),
    /preview/,
  ],
  ["an operator named as a property of objects", () => single("constructor"), /constructor/],
  ["an operator named __proto__", () => single("__proto__"), /__proto__/],
  ["an operator named toString", () => single("toString"), /toString/],
  ["an operator without a name", () => single(""), /no such operator|does not have/],
  ["a host operator of no such name", () => host("meltdown", { version: 1 }), /meltdown/],
  ["a host operator of another version", () => host("inv", { version: 99 }), /version 99/],
  ["a host operator without a version", () => host("inv", {}), /version unknown/],
  ["random numbers of the engine's own", () => single("RandomNormalLike"), /RandomNormalLike/],
  ["Bernoulli", () => single("Bernoulli"), /Bernoulli/],
  ["a Scan", () => single("Scan", { body: graph({}), num_scan_inputs: 1 }), /Scan/],
  ["a sequence", () => single("SequenceConstruct"), /SequenceConstruct/],
  ["an operator on strings", () => single("StringNormalizer"), /StringNormalizer/],
  ["an image decoder", () => single("ImageDecoder"), /ImageDecoder/],
  [
    "functions of the model's own",
    () => model({ inputs: [x], outputs: [y], nodes: [relu] }, { functions: [{ name: "f", domain: "d" }] }),
    /function/,
  ],
  [
    "an operator that calls itself through a function",
    () =>
      model(
        { inputs: [x], outputs: [y], nodes: [node("f", ["x"], ["y"], {}, { domain: "d" })] },
        { functions: [{ name: "f", domain: "d", node: [node("f", ["x"], ["y"], {}, { domain: "d" })] }] },
      ),
    /function/,
  ],
  [
    "an overload of a function",
    () => model({ inputs: [x], outputs: [y], nodes: [node("Relu", ["x"], ["y"], {}, { overload: "f" })] }),
    /overload/,
  ],
  [
    "training information",
    () => model({ inputs: [x], outputs: [y], nodes: [relu] }, { trainingInfo: [{}] }),
    /training/,
  ],
];

function host(name: string, attributes: Readonly<Record<string, number>>): Uint8Array {
  return model(
    {
      inputs: [port("x", "float64", [2, 2])],
      outputs: [port("y", "float64", [2, 2])],
      nodes: [node(name, ["x"], ["y"], attributes, { domain: "flockwork.host" })],
    },
    {
      opsetImport: [
        { domain: "", version: 21n },
        { domain: "flockwork.host", version: 1n },
      ],
    },
  );
}
