// Cuts a program that holds host operators into steps: models for an engine, and host operators between them. Pure; host-session.ts runs the steps.
import { input, program, type Program } from "../graph/index.js";
import { Expression, Node } from "../graph/expression.js";
import { inputRow } from "../graph/source.js";

/** One step. Values go by names: those of the program's slots, and `v<node>.<output>` for what a step makes. */
export type Step =
  | { readonly kind: "model"; readonly program: Program }
  | { readonly kind: "host"; readonly outputs: Readonly<Record<string, Expression>> };

export interface Segments {
  /** In the order in which they run. */
  readonly steps: readonly Step[];
  /** The name under which each output of the program is found at the end. */
  readonly results: readonly string[];
}

export function hasHostOperators({ graph }: Program): boolean {
  return graph.nodes.some(({ row }) => row.kind === "host");
}

/** The fewest steps: each model holds all that can run before the host operators that wait for it. */
export function segmentsOf({ graph }: Program): Segments {
  const stages = stagesOf(graph.nodes);
  const last = Math.max(...stages.values());
  const index = new Map(graph.nodes.map((node, i) => [node, i]));
  const nameOf = (x: Expression): string =>
    x.node.row === inputRow ? x.node.source!.name! : `v${index.get(x.node)}.${x.index}`;

  const steps: Step[] = [];
  /** Every value that is there before the step being made, by name. */
  const there = new Map<string, Expression>(
    graph.inputs.map(({ node }) => [node.source!.name!, new Expression(node, 0)]),
  );
  /** The expressions behind `wanted`, beginning at what is there. */
  const rebuild = (wanted: readonly Expression[]): Record<string, Expression> => {
    const twins = new Map<Node, Node>();
    const twin = (x: Expression): Expression =>
      there.get(nameOf(x)) ?? new Expression(twins.get(x.node)!, x.index);
    for (const node of graph.nodes)
      if (!node.types.every((_, i) => there.has(nameOf(new Expression(node, i)))))
        if (node.inputs.every((x) => there.has(nameOf(x)) || twins.has(x.node)))
          twins.set(node, new Node(node.row, node.inputs.map(twin), node.attrs, node.types, node.source));
    return Object.fromEntries(wanted.map((x) => [nameOf(x), twin(x)]));
  };
  const arrive = (made: Readonly<Record<string, Expression>>): void => {
    for (const [name, { dtype, shape }] of Object.entries(made)) there.set(name, input(name, dtype, shape));
  };

  for (let stage = 0; stage <= last; stage++) {
    const isHere = ({ node }: Expression): boolean => isModel(node) && stages.get(node) === stage;
    const readLater = graph.nodes.flatMap((node) =>
      node.row.kind === "host" || stages.get(node)! > stage ? node.inputs.filter(isHere) : [],
    );
    const ends = graph.outputs.filter((x) => isHere(x) || (stage === last && x.node.row.kind === "source"));
    const modelled = rebuild([...readLater, ...ends].filter(({ node }) => node.row !== inputRow));
    if (Object.keys(modelled).length > 0) {
      steps.push({
        kind: "model",
        program: program({ inputs: Object.fromEntries(there), outputs: modelled }),
      });
      arrive(modelled);
    }
    const hosts = graph.nodes.filter((node) => node.row.kind === "host" && stages.get(node) === stage);
    const hosted = rebuild(hosts.flatMap((node) => node.types.map((_, i) => new Expression(node, i))));
    if (hosts.length > 0) {
      steps.push({ kind: "host", outputs: hosted });
      arrive(hosted);
    }
  }
  return { steps, results: graph.outputs.map(nameOf) };
}

function isModel({ row }: Node): boolean {
  return row.kind !== "host" && row.kind !== "source";
}

/** How many host operators stand, one after the other, before each node. Sources belong to every stage. */
function stagesOf(nodes: readonly Node[]): Map<Node, number> {
  const stages = new Map<Node, number>();
  for (const node of nodes)
    stages.set(
      node,
      Math.max(0, ...node.inputs.map((x) => stages.get(x.node)! + Number(x.node.row.kind === "host"))),
    );
  return stages;
}
