// Any operator that the catalogue has a row for, read by that row's columns: `attributes`, `operands`, then its own shape rule.
import { dtypeFromOnnx, toNumbers, type DType } from "../../../tensor/index.js";
import { catalogue } from "../../catalogue/index.js";
import { freshSymbol } from "../../dim.js";
import { GraphError } from "../../error.js";
import { applyAll, type Expression } from "../../expression.js";
import type { AttrKind, Attrs, AttrValue, HostRow, TensorRow } from "../../row.js";
import { printType } from "../../shape.js";
import { castRow } from "../../source.js";
import { HOST_DOMAIN } from "../lower.js";
import type { Call } from "./call.js";
import { DEFAULTS } from "./schema.js";

/** Rows that stand in models. */
type Readable = TensorRow | HostRow;

function rowsByOperator(): Map<string, Readable[]> {
  const rows = new Map<string, Readable[]>();
  for (const row of [...catalogue.map((entry) => entry.row), castRow]) {
    if (row.kind !== "tensor" && row.kind !== "host") continue;
    const name = row.kind === "host" ? `${HOST_DOMAIN}.${row.name}` : row.onnx;
    const same = rows.get(name);
    if (!same) rows.set(name, [row]);
    else if (!same.includes(row)) same.push(row);
  }
  return rows;
}

/** Made when the first model is read, the catalogue being whole by then. */
let rows: Map<string, Readable[]> | undefined;

/** The rows of an ONNX operator: more than one where they differ in their attributes. */
export function rowsOf(operator: string): readonly Readable[] {
  return (rows ??= rowsByOperator()).get(operator) ?? [];
}

/**
 * The outputs of `call` by the first row that takes it. Arguments in `known` stand for those of the same name in the model;
 * those in `beside` are a row's own, which do not travel.
 */
export function readRow(call: Call, known: Attrs = {}, beside: Attrs = {}): readonly Expression[] {
  // A row with a kernel for the dtype before one that would cast: integers divide otherwise than floats.
  const native = (row: Readable): boolean =>
    row.kind === "tensor" && call.has(0) && row.kernels.includes(call.x(row.kernelInputs?.[0] ?? 0).dtype);
  const candidates = [...rowsOf(call.operator)].sort((a, b) => Number(native(b)) - Number(native(a)));
  if (candidates.length === 0)
    throw new GraphError(`the catalogue has no operator ${call.operator}`, "unsupported");
  let first: unknown;
  for (const row of candidates)
    try {
      return applyRow(call, row, known, beside);
    } catch (error) {
      first ??= error;
    }
  throw first;
}

function applyRow(call: Call, row: Readable, known: Attrs, beside: Attrs): readonly Expression[] {
  const operands = Object.entries(row.operands ?? {});
  // Operators with operands have one data input; those that have more are read by hand.
  const data = operands.length > 0 ? 1 : call.inputs.length;
  const inputs = call.inputs.slice(0, data).map((_, i) => call.x(i));
  if (call.inputs.slice(data + operands.length).some((value) => value !== undefined))
    throw new GraphError(
      `it has ${call.inputs.length} inputs; ${data + operands.length} are known`,
      "unsupported",
    );
  const attrs: Record<string, AttrValue> = {};
  for (const [name, kind] of Object.entries(row.attributes ?? {}))
    attrs[name] = name in known ? known[name] : attribute(call, name, kind);
  operands.forEach(([name, kind], i) => {
    attrs[name] = name in known ? known[name] : operand(call, data + i, name, kind, inputs[0]!.dtype);
  });
  for (const name of call.attributes.names)
    if (
      !(name in attrs) &&
      !(name in known) &&
      !(row.kind === "host" && name === "version") &&
      !isDefault(call, name)
    )
      throw new GraphError(
        `the attribute ${name} = ${String(call.attributes.get(name))} is not known`,
        "unsupported",
      );
  for (const name of ["axis", "axes"] as const)
    if (attrs[name] !== undefined) attrs[name] = fromZero(attrs[name], inputs[0]);
  if (row.kind === "tensor") expectOneDtype(row, inputs);
  else expectVersion(row, call);
  return applyAll(row, inputs, withoutUndefined({ ...beside, ...attrs }));
}

function attribute(call: Call, name: string, kind: AttrKind): AttrValue {
  const { attributes } = call;
  const fallback = DEFAULTS[call.operator]?.[name];
  switch (kind) {
    case "int":
    case "dim":
      return attributes.int(name) ?? fallback;
    case "ints":
    case "dims":
      return attributes.ints(name);
    case "float":
    case "value":
      return attributes.float(name) ?? fallback;
    case "floats":
      return attributes.floats(name);
    case "string":
      return attributes.get(name) === undefined ? fallback : attributes.string(name, "");
    case "dtype":
      return dtypeAttribute(attributes.int(name), name);
    case "fresh":
      return freshSymbol(call.operator);
    default:
      return kind satisfies never;
  }
}

export function dtypeAttribute(code: number | undefined, name: string): DType | undefined {
  if (code === undefined) return undefined;
  const dtype = dtypeFromOnnx(code);
  if (dtype === undefined)
    throw new GraphError(
      `the attribute ${name} names the element type ${code}, which Flockwork does not carry`,
      "unsupported",
    );
  return dtype;
}

function operand(call: Call, i: number, name: string, kind: AttrKind, dtype: DType): AttrValue {
  if (!call.has(i)) return undefined;
  if (kind === "value" || kind === "float" || kind === "floats") {
    const tensor = call.constant(i, name)!;
    if (kind === "value" && tensor.dtype !== dtype)
      throw new GraphError(`${name} is of ${tensor.dtype}, the tensor of ${dtype}`, "bad_model");
    const values = [...toNumbers(tensor)];
    return kind === "floats" ? values : one(values, name);
  }
  if (kind === "dims" || kind === "ints") return kind === "dims" ? call.dims(i, name) : call.numbers(i, name);
  if (kind === "dim") return one(call.dims(i, name)!, name);
  return one(call.numbers(i, name)!, name);
}

function one<T>(values: readonly T[], name: string): T {
  if (values.length !== 1)
    throw new GraphError(`${name} has ${values.length} elements; it must be one`, "bad_model");
  return values[0]!;
}

function isDefault(call: Call, name: string): boolean {
  const fallback = DEFAULTS[call.operator]?.[name];
  const given = call.attributes.get(name);
  return typeof fallback === "number" && typeof given === "number"
    ? Math.fround(fallback) === Math.fround(given)
    : fallback !== undefined && fallback === given;
}

function fromZero(axes: AttrValue, x: Expression | undefined): AttrValue {
  if (!x) return axes;
  const one = (axis: number): number => {
    if (axis < -x.rank || axis >= Math.max(x.rank, 1))
      throw new GraphError(`axis ${axis} is outside ${printType(x.type)}`, "bad_model");
    return axis < 0 ? axis + x.rank : axis;
  };
  return typeof axes === "number" ? one(axes) : (axes as readonly number[]).map(one);
}

function expectVersion(row: HostRow, call: Call): void {
  const version = call.attributes.int("version");
  if (version !== row.version)
    throw new GraphError(
      `it is version ${version ?? "unknown"} of ${row.name}; this is ${row.version}`,
      "unsupported",
    );
}

/** ONNX gives the inputs that share a type constraint one dtype. */
function expectOneDtype(row: TensorRow, inputs: readonly Expression[]): void {
  const shared = row.kernelInputs ? row.kernelInputs.flatMap((i) => inputs[i] ?? []) : inputs;
  const other = shared.find((x) => x.dtype !== shared[0]!.dtype);
  if (other)
    throw new GraphError(
      `its inputs ${printType(shared[0]!.type)} and ${printType(other.type)} must be of one dtype`,
      "bad_model",
    );
}

function withoutUndefined(attrs: Record<string, AttrValue>): Record<string, AttrValue> {
  return Object.fromEntries(Object.entries(attrs).filter(([, value]) => value !== undefined));
}
