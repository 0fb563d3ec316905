// Graphs made smaller without changing what they compute: constants folded, marks dropped, and a table of local rules.
import type { DType, Tensor } from "../tensor/index.js";
import { toNumbers } from "../tensor/index.js";
import { add, div, mul, neg, pow, sub } from "./catalogue/elementwise.js";
import { broadcastTo, reshape, transpose } from "./catalogue/shaping.js";
import { isStatic } from "./dim.js";
import { apply, Expression, Node } from "./expression.js";
import { evaluate } from "./interpreter.js";
import { widens } from "./kernels.js";
import { count, type Nd } from "./nd.js";
import { constant } from "./operand.js";
import type { NodeRow } from "./row.js";
import { sameShape } from "./shape.js";
import { castRow } from "./source.js";
import { symbolsOfAttrs, topological } from "./walk.js";

/** Constants of more bytes than this are inputs of the program: equal structure with other weights is the same program. */
export const INLINE_BYTES = 64;
const EXACT = 2 ** 53;

/** What a rule sees besides the node. */
interface Scene {
  /** The number that every element of a constant is. */
  splat(x: Expression): number | undefined;
  /** Simplifies what a rule has made. */
  again(x: Expression): Expression;
}

type Rule = (node: Node, scene: Scene) => Expression | undefined;

/**
 * The same values from fewer operators. `isInput`: nodes whose value is not known here, and which stay.
 * x + 0 is taken as x, so a negative zero may stay one.
 */
export function simplify(
  outputs: readonly Expression[],
  isInput: (node: Node) => boolean,
): readonly Expression[] {
  const known = ({ node }: Expression): Tensor | undefined =>
    isInput(node) ? undefined : node.source?.value;
  const scene: Scene = {
    splat: (x) => {
      const value = known(x);
      if (!value || value.size === 0) return undefined;
      const [first, ...rest] = toNumbers(value);
      return rest.every((other) => other === first) ? first : undefined;
    },
    again: (x) => rewrite(x.node)[x.index]!,
  };
  const results = new Map<Node, readonly Expression[]>();
  const rewrite = (node: Node): readonly Expression[] => {
    if (node.row.kind === "mark") return [node.inputs[0]!];
    if (node.row.kind !== "tensor") return expressionsOf(node);
    const folded = fold(node, known);
    if (folded) return folded;
    for (const rule of rulesOf(node.row)) {
      const better = rule(node, scene);
      if (!better) continue;
      // What a rule has made stands for the node; what it has found was there before.
      if (better.node !== node && !results.has(better.node)) better.node.origin ??= node.origin ?? node;
      return [better];
    }
    return expressionsOf(node);
  };
  const simple = (x: Expression): Expression => results.get(x.node)![x.index]!;
  for (const node of topological(outputs))
    results.set(
      node,
      isInput(node) || node.row.kind === "source"
        ? expressionsOf(node)
        : rewrite(withInputs(node, node.inputs.map(simple))),
    );
  return outputs.map(simple);
}

/** The value of an operator on small constants, as constants. */
function fold(node: Node, known: (x: Expression) => Tensor | undefined): readonly Expression[] | undefined {
  if (node.inputs.length === 0 || node.row.bounds !== undefined || symbolsOfAttrs(node).length > 0)
    return undefined;
  if (!node.inputs.every((x) => known(x))) return undefined;
  if (!node.types.every(({ shape }) => isStatic(shape) && count(shape) <= INLINE_BYTES)) return undefined;
  const values = evaluate([...node.inputs, ...expressionsOf(node)]);
  if (!values.every(isExact)) return undefined;
  const tensors = values.slice(node.inputs.length).map((value) => value.toTensor());
  return tensors.every(({ bytes }) => bytes <= INLINE_BYTES)
    ? tensors.map((tensor) => constant(tensor))
    : undefined;
}

/** Whether the interpreter's float64 holds these integers. */
function isExact({ dtype, data }: Nd): boolean {
  return dtype !== "int64" || data.every((v) => Math.abs(v) <= EXACT);
}

/** The operand that stays where the other is the neutral element, if it has the result's type. */
function neutral(...sides: readonly (readonly [operand: 0 | 1, neutral: number])[]): Rule {
  return ({ inputs, types }, { splat }) => {
    for (const [side, value] of sides) {
      const x = inputs[1 - side]!;
      if (splat(inputs[side]!) === value && sameShape(x.shape, types[0]!.shape)) return x;
    }
    return undefined;
  };
}

/** The operand of `x`, if that is made by the row. */
function under(row: NodeRow, x: Expression): Expression | undefined {
  return x.node.row === row ? x.node.inputs[0] : undefined;
}

const transposed: Rule = ({ inputs: [x], attrs }) => {
  const inner = under(transpose.row as NodeRow, x!);
  if (!inner) return undefined;
  const first = x!.node.attrs.perm as readonly number[];
  return inner.transpose((attrs.perm as readonly number[]).map((axis) => first[axis]!));
};

const reshaped: Rule = ({ inputs: [x], types }) => {
  const { shape } = types[0]!;
  if (sameShape(x!.shape, shape)) return x;
  // One number everywhere is so in any shape.
  const one = under(broadcastTo.row as NodeRow, x!);
  if (one?.shape.length === 0) return one.broadcastTo(shape);
  const inner = under(reshape.row as NodeRow, x!);
  return inner?.reshape(shape);
};

const broadcasted: Rule = ({ inputs: [x], types }) => {
  if (sameShape(x!.shape, types[0]!.shape)) return x;
  const inner = under(broadcastTo.row as NodeRow, x!);
  return inner?.broadcastTo(types[0]!.shape);
};

const recast: Rule = ({ inputs: [x], attrs }) => {
  const to = attrs.to as DType;
  if (x!.dtype === to) return x;
  const inner = under(castRow, x!);
  return inner && widens(inner.dtype, x!.dtype) ? inner.cast(to) : undefined;
};

/** Computed before they are broadcast, elements are fewer; and most broadcasts are what the operator itself would do. */
const beforeBroadcast: Rule = (node, { again }) => {
  if (!node.inputs.some((x) => x.node.row === broadcastTo.row)) return undefined;
  const y = again(
    apply(
      node.row,
      node.inputs.map((x) => under(broadcastTo.row as NodeRow, x) ?? x),
      node.attrs,
    ),
  );
  return again(y.broadcastTo(node.types[0]!.shape));
};

const RULES: ReadonlyMap<unknown, readonly Rule[]> = new Map<unknown, readonly Rule[]>([
  [transpose.row, [transposed]],
  [reshape.row, [reshaped]],
  [broadcastTo.row, [broadcasted]],
  [castRow, [recast]],
  [mul.row, [neutral([0, 1], [1, 1])]],
  [div.row, [neutral([1, 1])]],
  [pow.row, [neutral([1, 1])]],
  [
    add.row,
    [
      neutral([0, 0], [1, 0]),
      // a + -b, -a + b
      ({ inputs: [a, b] }) => {
        const [left, right] = [a!, b!].map((x) => under(neg.row as NodeRow, x));
        return right ? a!.sub(right) : left && b!.sub(left);
      },
    ],
  ],
  [
    sub.row,
    [
      neutral([1, 0]),
      // a - -b
      ({ inputs: [a, b] }) => {
        const inner = under(neg.row as NodeRow, b!);
        return inner && a!.add(inner);
      },
    ],
  ],
  [neg.row, [({ inputs: [x] }) => under(neg.row as NodeRow, x!)]],
]);

function rulesOf(row: NodeRow): readonly Rule[] {
  const own = RULES.get(row) ?? [];
  return row.kind === "tensor" && row.elementwise ? [...own, beforeBroadcast] : own;
}

function expressionsOf(node: Node): Expression[] {
  return node.types.map((_, i) => new Expression(node, i));
}

function withInputs(node: Node, inputs: readonly Expression[]): Node {
  const same = inputs.every((x, i) => x.node === node.inputs[i]!.node && x.index === node.inputs[i]!.index);
  return same ? node : new Node(node.row, inputs, node.attrs, node.types, node.source, node);
}
