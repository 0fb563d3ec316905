// Which products of a graph are checked (verify: "freivalds"), and the check itself: the client reads both factors and the product.
import { Expression, type Node } from "../../graph/expression.js";
import { topological } from "../../graph/walk.js";
import { Tensor } from "../../tensor/index.js";
import type { Origin } from "./cut.js";
import type { OperationFailure } from "./failure.js";
import { wrongColumn, wrongRow } from "./freivalds.js";
import { lineOf, type Site } from "./operation.js";
import { isRef, type Ref } from "./record.js";

/** Smaller products are not worth their way here. */
const LEAST = 64;

/** A product and its factors. */
export interface Product {
  readonly a: Expression;
  readonly b: Expression;
  readonly c: Expression;
}

/** A node answered with a product that is none. */
export class WrongProduct extends Error {
  constructor(
    readonly failure: OperationFailure,
    /** The output that is wrong, where it is known which. */
    readonly culprit: Ref | undefined,
  ) {
    super(failure.message);
  }
}

/** The large float32 products behind `outputs`. */
export function productsOf(outputs: readonly Expression[]): Product[] {
  return topological(outputs).flatMap((node): Product[] => {
    if (node.row.name !== "matmul") return [];
    const [a, b] = node.inputs as [Expression, Expression];
    const c = new Expression(node, 0);
    const shapes = [a.shape, b.shape, c.shape];
    const isStatic = shapes.every((shape) => shape.length >= 2 && shape.every((n) => typeof n === "number"));
    const isLarge = shapes.every((shape) => shape.slice(-2).every((n) => (n as number) >= LEAST));
    const isPlain = new Set(shapes.map((shape) => shape.slice(0, -2).join())).size === 1;
    return c.dtype === "float32" && isStatic && isLarge && isPlain ? [{ a, b, c }] : [];
  });
}

/** Where the three of a product are. */
export interface Evidence {
  readonly node: Node;
  readonly a: Origin;
  readonly b: Origin;
  readonly c: Origin;
}

/** Resolves when all products stand. Rejects with a WrongProduct, or with why one can not be read. */
export async function checkProducts(
  evidence: readonly Evidence[],
  read: (ref: Ref) => Promise<Tensor>,
  sites: WeakMap<Node, Site>,
): Promise<void> {
  const tensor = (origin: Origin): Promise<Tensor> =>
    origin instanceof Tensor ? Promise.resolve(origin) : read(origin);
  // One after the other: three large tensors at a time are enough here.
  for (const { node, a, b, c } of evidence) {
    const [left, right, product] = await Promise.all([tensor(a), tensor(b), tensor(c)]);
    const fits =
      product.dtype === "float32" &&
      product.shape.length === left.shape.length &&
      product.shape.at(-2) === left.shape.at(-2) &&
      product.shape.at(-1) === right.shape.at(-1);
    const row = fits ? wrongRow(left, right, product) : 0;
    if (row === undefined) continue;
    const culprit = culpritOf(c, row, () => wrongColumn(left, right, product, row));
    const makers = culprit === undefined ? makersOf(c) : [culprit.task.node];
    const failure = {
      operation: node.row.name,
      line: lineOf(sites.get(node.origin ?? node)),
      code: "wrong_result",
      message: `row ${row} of the product ${left.shape.join("x")} by ${right.shape.join("x")} is wrong: it did not stand up to Freivalds' check`,
      node: makers.join(" or ") || undefined,
      reasons: makers.map((maker) => ({ node: maker, code: "wrong_result", message: `row ${row} is wrong` })),
    };
    throw new WrongProduct(failure, culprit);
  }
}

/** The outputs that a product is, or was put together from. */
export function piecesOf(origin: Origin): Ref[] {
  if (origin instanceof Tensor) return [];
  const multiplies = ({ task }: Ref): boolean => task.operations.some(({ name }) => name === "matmul");
  return multiplies(origin) ? [origin] : origin.task.inputs.filter(isRef).filter(multiplies);
}

/** The piece in which a wrong row, or the column of a wrong element in it, lies. */
function culpritOf(origin: Origin, row: number, column: () => number | undefined): Ref | undefined {
  const pieces = piecesOf(origin);
  if (pieces.length < 2 || origin instanceof Tensor) return pieces[0];
  const whole = shapeOf(origin);
  const shapes = pieces.map(shapeOf);
  if (whole.length !== 2 || shapes.some((shape) => shape.length !== 2)) return undefined;
  for (const [axis, at] of [() => row, column].entries()) {
    const lengths = shapes.map((shape) => shape[axis]!);
    const across = shapes.every((shape) => shape[1 - axis] === whole[1 - axis]);
    if (!across || lengths.reduce((sum, n) => sum + n, 0) !== whole[axis]) continue;
    const place = at();
    let end = 0;
    return place === undefined ? undefined : pieces[lengths.findIndex((n) => (end += n) > place)];
  }
  return undefined;
}

function shapeOf({ task, output }: Ref): readonly number[] {
  return task.program.outputs[output]![1];
}

/** The nodes that can have made it wrong, where it is not known which. */
function makersOf(origin: Origin): string[] {
  if (origin instanceof Tensor) return [];
  const tasks = [origin, ...piecesOf(origin)].map(({ task }) => task);
  return [...new Set(tasks.map(({ node }) => node).filter((node) => node !== ""))];
}
