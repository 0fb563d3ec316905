// Large operators cut along an axis, a piece for each of the fastest nodes; what follows on a piece stays beside it. Expressions in, expressions out.
import { nodeCost, bytesOf, type Cost } from "../cost.js";
import { concat } from "../catalogue/shaping.js";
import { isStatic, type Binding } from "../dim.js";
import { Expression, Node } from "../expression.js";
import type { Cut } from "../row.js";
import { sameShape, type Type } from "../shape.js";
import { inputRow } from "../source.js";
import { inRunOrder } from "../walk.js";
import type { Fleet } from "./fleet.js";

export interface Split {
  readonly outputs: readonly Expression[];
  /** The nodes that are pieces, and the rank of the node each is for; all others may run anywhere. */
  readonly lanes: ReadonlyMap<Node, number>;
  /** Inputs that are parts of the graph's: whoever holds the whole sends no more than the part. */
  readonly parts: ReadonlyMap<Node, Part>;
}

/** The elements of an input from `from` up to `to` along an axis. */
export interface Part {
  readonly of: Node;
  readonly axis: number;
  readonly from: number;
  readonly to: number;
}

/** A value in pieces along an axis, one for each lane. */
interface Shards {
  readonly axis: number;
  readonly bounds: readonly number[];
  readonly parts: readonly Expression[];
}

/** A value of the original graph: as a whole, in pieces, or both. */
interface Value {
  whole?: Expression;
  readonly shards?: Shards;
}

/** One way to run an operator, and what it is thought to take. */
interface Option {
  readonly seconds: number;
  readonly cut?: Cut;
  readonly bounds?: readonly number[];
}

export interface SplitOptions {
  /** The most pieces. */
  readonly lanes: number;
  /** Also where one operator alone would not pay for the way to the pieces, in the hope that many follow on them. */
  readonly eager: boolean;
}

/** The graph behind `outputs` with its large operators in pieces. */
export function split(
  outputs: readonly Expression[],
  fleet: Fleet,
  options: SplitOptions,
  lengths: Binding,
): Split {
  return new Splitter(fleet, options, lengths).run(outputs);
}

/** The part of a round trip that an operator must be worth to start a split in hope. */
const HOPE = 0.05;

class Splitter {
  private readonly values = new Map<Node, readonly Value[]>();
  private readonly laneOf = new Map<Node, number>();
  private readonly parts = new Map<Node, Part>();
  private readonly slices = new Map<Expression, Map<string, Expression>>();

  constructor(
    private readonly fleet: Fleet,
    private readonly options: SplitOptions,
    private readonly lengths: Binding,
  ) {}

  run(outputs: readonly Expression[]): Split {
    for (const node of inRunOrder(outputs)) this.values.set(node, this.place(node));
    return {
      outputs: outputs.map((x) => this.whole(this.values.get(x.node)![x.index]!)),
      lanes: this.laneOf,
      parts: this.parts,
    };
  }

  private place(node: Node): readonly Value[] {
    if (node.row.kind === "source") return [{ whole: new Expression(node, 0) }];
    const inputs = node.inputs.map((x) => this.values.get(x.node)![x.index]!);
    const { cut, bounds } = this.choose(node, inputs);
    if (cut && bounds) {
      const pieces = this.pieces(node, inputs, cut, bounds);
      if (pieces) return [pieces];
    }
    return this.together(node, inputs);
  }

  private together(node: Node, inputs: readonly Value[]): readonly Value[] {
    const operands = inputs.map((value) => this.whole(value));
    const same = operands.every((x, i) => x.node === node.inputs[i]!.node);
    const copy = same ? node : new Node(node.row, operands, node.attrs, node.types, undefined, node);
    return node.types.map((_, i) => ({ whole: new Expression(copy, i) }));
  }

  /** The cheapest way to run `node`, given where its inputs are. */
  private choose(node: Node, inputs: readonly Value[]): Option {
    const { row } = node;
    const { fleet } = this;
    const inPieces = inputs.some(({ shards, whole }) => shards && !whole);
    const cost = nodeCost(node, this.lengths);
    const alone = fleet.seconds(cost);
    const worth = inPieces || alone > fleet.capacity.roundTrip * (this.options.eager ? HOPE : 1);
    const types = [...node.inputs.map((x) => x.type), ...node.types];
    if (
      !worth ||
      row.kind !== "tensor" ||
      node.types.length > 1 ||
      !types.every(({ shape }) => isStatic(shape))
    )
      return { seconds: alone };
    const [ins, out] = [node.inputs.map((x) => x.type), node.types[0]!];
    // Alone, it waits for the pieces to be brought together.
    let best: Option = {
      seconds:
        alone +
        (inPieces ? fleet.capacity.roundTrip : 0) +
        sum(inputs, ({ whole, shards }, i) => (shards && !whole ? fleet.moveSeconds(bytesOf(ins[i]!)) : 0)),
    };
    for (const cut of row.cuts?.({ inputs: ins, outputs: node.types, attrs: node.attrs }) ?? []) {
      const option = this.consider(cost, cut, ins, out, inputs);
      if (option && option.seconds < best.seconds) best = option;
    }
    return best;
  }

  private consider(
    cost: Cost,
    cut: Cut,
    ins: readonly Type[],
    out: Type,
    inputs: readonly Value[],
  ): Option | undefined {
    const { fleet } = this;
    const at = cut.inputs.findIndex((axis) => axis !== null);
    if (at < 0) return undefined;
    const length = ins[at]!.shape[cut.inputs[at]!] as number;
    if (length < 2) return undefined;
    const followed = inputs.find(({ shards }, i) => shards && shards.axis === cut.inputs[i])?.shards;
    const bounds = followed?.bounds ?? fleet.bounds(length, this.options.lanes);
    const lanes = bounds.length - 1;
    if (lanes < 2) return undefined;
    const moved = sum(inputs, (value, i) => {
      const bytes = bytesOf(ins[i]!);
      const axis = cut.inputs[i]!;
      if (axis === null) return bytes * (lanes - 1) + (value.whole ? 0 : bytes);
      if (fits(value.shards, axis, bounds)) return 0;
      return value.whole ? bytes : 2 * bytes;
    });
    // A new split answers for the whole way back; one that follows has its way back already.
    const back = typeof cut.join === "string" ? bytesOf(out) * lanes : followed ? 0 : bytesOf(out);
    const hoped = this.options.eager && !inputs.some(({ shards }) => shards) && typeof cut.join !== "string";
    const way = fleet.moveSeconds(moved + back) + (followed ? 0 : fleet.capacity.roundTrip);
    return {
      seconds: fleet.sharedSeconds(cost, lanes) + (hoped ? 0 : way),
      cut,
      bounds,
    };
  }

  /** `node` in pieces; undefined where its row does not make the piece that the cut promises. */
  private pieces(
    node: Node,
    inputs: readonly Value[],
    cut: Cut,
    bounds: readonly number[],
  ): Value | undefined {
    const out = node.types[0]!;
    const parts: Expression[] = [];
    for (let lane = 0; lane + 1 < bounds.length; lane++) {
      const [from, to] = [bounds[lane]!, bounds[lane + 1]!];
      const operands = inputs.map((value, i) => {
        const axis = cut.inputs[i]!;
        if (axis === null) return this.whole(value);
        if (fits(value.shards, axis, bounds)) return value.shards!.parts[lane]!;
        return this.slice(this.whole(value), axis, from, to);
      });
      const attrs = cut.attrs?.(to - from) ?? node.attrs;
      const [type] = node.row.infer(
        operands.map((x) => x.type),
        attrs,
      );
      const { join } = cut;
      const wanted =
        typeof join === "string"
          ? out.shape
          : out.shape.map((dim, axis) => (axis === join.concat ? to - from : dim));
      if (type!.dtype !== out.dtype || !sameShape(type!.shape, wanted)) return undefined;
      const piece = new Node(node.row, operands, attrs, [type!], undefined, node);
      this.laneOf.set(piece, lane);
      parts.push(new Expression(piece, 0));
    }
    return typeof cut.join === "string"
      ? { whole: joined(parts, cut.join) }
      : { shards: { axis: cut.join.concat, bounds, parts } };
  }

  private whole(value: Value): Expression {
    value.whole ??= concat(value.shards!.parts, value.shards!.axis);
    return value.whole;
  }

  private slice(x: Expression, axis: number, from: number, to: number): Expression {
    const own = this.slices.get(x) ?? new Map<string, Expression>();
    this.slices.set(x, own);
    const key = `${axis} ${from} ${to}`;
    const slice =
      own.get(key) ??
      (x.node.row === inputRow ? this.part(x, axis, from, to) : x.slice([from], [to], [axis]));
    own.set(key, slice);
    return slice;
  }

  private part(
    { node, type: { dtype, shape } }: Expression,
    axis: number,
    from: number,
    to: number,
  ): Expression {
    const type = { dtype, shape: shape.with(axis, to - from) };
    const part = new Node(inputRow, [], {}, [type], { name: `${node.source!.name!}[${from}:${to}]` });
    this.parts.set(part, { of: node, axis, from, to });
    return new Expression(part, 0);
  }
}

function fits(shards: Shards | undefined, axis: number, bounds: readonly number[]): boolean {
  return (
    shards !== undefined &&
    shards.axis === axis &&
    shards.bounds.length === bounds.length &&
    shards.bounds.every((bound, i) => bound === bounds[i])
  );
}

/** By halves, so that the sum of many pieces is as exact as that of two. */
function joined(parts: readonly Expression[], join: "add" | "mul" | "max" | "min"): Expression {
  if (parts.length === 1) return parts[0]!;
  const middle = parts.length >> 1;
  const [a, b] = [joined(parts.slice(0, middle), join), joined(parts.slice(middle), join)];
  switch (join) {
    case "add":
      return a.add(b);
    case "mul":
      return a.mul(b);
    case "max":
      return a.maximum(b);
    case "min":
      return a.minimum(b);
    default:
      return join satisfies never;
  }
}

function sum<T>(items: readonly T[], f: (item: T, i: number) => number): number {
  return items.reduce((total, item, i) => total + f(item, i), 0);
}
