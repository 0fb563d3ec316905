// A plan as tasks of a graph: where the plan says "input" or "task", here stand the outputs and tensors that these are.
import { input } from "../../graph/leaf.js";
import type { Node } from "../../graph/expression.js";
import { partOf, type Plan, type Source } from "../../graph/plan.js";
import { program, type Program } from "../../graph/program.js";
import { Tensor } from "../../tensor/index.js";
import type { Origin } from "./cut.js";
import { operationsOf, type Site } from "./operation.js";
import type { GivenRecord, NewTask, ProgramRecord, Ref, TaskInput, TaskRecord } from "./record.js";

type Part = NonNullable<Extract<Source, { kind: "input" }>["part"]>;

export interface Submission {
  /** In order; each gets the records of those before it. */
  readonly tasks: readonly ((earlier: readonly TaskRecord[]) => NewTask)[];
  /** For each output of the plan: its value, or how to find the task that makes it. */
  outputs(records: readonly TaskRecord[]): ReadonlyMap<string, Origin>;
}

export interface SubmissionContext {
  give(tensor: Tensor): GivenRecord;
  readonly sites: WeakMap<Node, Site>;
}

export function submissionOf(
  plan: Plan,
  origins: ReadonlyMap<string, Origin>,
  { give, sites }: SubmissionContext,
): Submission {
  const tasks: ((earlier: readonly TaskRecord[]) => NewTask)[] = [];
  /** The place of each task of the plan among the tasks here. */
  const places: number[] = [];
  const parts = new Map<string, number | Tensor>();

  const partFor = (name: string, part: Part): number | Tensor => {
    const key = `${name} ${part.axis} ${part.from} ${part.to}`;
    let made = parts.get(key);
    if (made !== undefined) return made;
    const origin = origins.get(name)!;
    if (origin instanceof Tensor) made = partOf(origin, part);
    else made = tasks.push(slicing(plan.program, name, part, origin)) - 1;
    parts.set(key, made);
    return made;
  };
  /** Before the task itself, what it needs that is no task of the plan. */
  const prepare = (source: Source): ((earlier: readonly TaskRecord[]) => TaskInput) => {
    if (source.kind === "constant") return () => give(source.value);
    if (source.kind === "task")
      return (earlier) => ({ task: earlier[places[source.task]!]!, output: source.output });
    if (source.part === undefined) {
      const origin = origins.get(source.name)!;
      return () => (origin instanceof Tensor ? give(origin) : origin);
    }
    const made = partFor(source.name, source.part);
    return (earlier) => (made instanceof Tensor ? give(made) : { task: earlier[made]!, output: 0 });
  };
  for (const task of plan.tasks) {
    const inputs = task.inputs.map(prepare);
    places.push(
      tasks.push((earlier) => ({
        program: recordOf(task.program),
        inputs: inputs.map((one) => one(earlier)),
        outputs: task.program.outputs.length,
        flops: task.cost.flops,
        memory: task.cost.bytes,
        operations: operationsOf(task.program.graph.nodes, sites),
      })) - 1,
    );
  }
  return {
    tasks,
    outputs: (records) =>
      new Map(
        Object.entries(plan.outputs).map(([name, source]): [string, Origin] => {
          if (source.kind === "task")
            return [name, { task: records[places[source.task]!]!, output: source.output }];
          if (source.kind === "constant") return [name, source.value];
          return [name, origins.get(source.name)!];
        }),
      ),
  };
}

/** One record a program, so that what is sent once is also kept once. */
const records = new WeakMap<Program, ProgramRecord>();

export function recordOf(p: Program): ProgramRecord {
  let record = records.get(p);
  if (record === undefined) {
    const outputs = p.outputs.map(({ type: { dtype, shape } }): ProgramRecord["outputs"][number] => [
      dtype,
      shape.map((dim) => (typeof dim === "number" ? dim : -1)),
    ]);
    record = { hash: p.hash, model: p.model, outputs };
    records.set(p, record);
  }
  return record;
}

/** A task that cuts a part from a value that is with the nodes. */
function slicing(whole: Program, name: string, { axis, from, to }: Part, ref: Ref): () => NewTask {
  const { dtype, shape } = whole.inputs.find((port) => port.name === name)!.type;
  const p = program({ outputs: { part: input("x", dtype, shape).slice([from], [to], [axis]) } });
  return () => ({
    program: recordOf(p),
    inputs: [ref],
    outputs: 1,
    flops: 0,
    memory: 2 * p.cost().bytes,
    operations: [],
  });
}
