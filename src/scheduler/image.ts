// The scheduler's whole state as data and back: what a recording starts with when its beginning has been rotated away.
// A walk over the object graph, without recursion: a queue of a million tasks is a linked list.
import { Attempts } from "./attempts.js";
import { Core } from "./core.js";
import { Bucket, Group, Level, Turn } from "./group.js";
import { Heap } from "./heap.js";
import { Ladder, Link } from "./ladder.js";
import { Node, Offer, Pool } from "./node.js";
import { Outbox } from "./outbox.js";
import { Share } from "./share.js";
import { Durations } from "./speed.js";
import { Page, TaskTable } from "./table.js";
import { Attempt, Batch, Dataflow, Task, TaskList, Trouble } from "./task.js";
import { Value } from "./value.js";

/** A primitive as it is; [n]: object number n; { v }: what JSON has no word for. */
type Word = string | number | boolean | null | readonly [number] | { readonly v: string };

export interface Image {
  /** Names of fields, for objects of one shape. */
  readonly shapes: readonly { readonly kind: string; readonly keys: readonly string[] }[];
  /** For each object: its shape, then its fields. Object 0 is the core. */
  readonly objects: readonly (readonly [number, ...Word[]])[];
}

const CLASSES = {
  ...{
    Attempt,
    Attempts,
    Batch,
    Bucket,
    Core,
    Dataflow,
    Durations,
    Group,
    Heap,
    Ladder,
    Level,
    Link,
    Node,
    Offer,
  },
  ...{ Outbox, Page, Pool, Share, Task, TaskList, TaskTable, Trouble, Turn, Value },
};
const PROTOTYPES = new Map<string, object>(
  Object.entries(CLASSES).map(([name, { prototype }]) => [name, prototype]),
);
const NAMES = new Map<object, string>([...PROTOTYPES].map(([name, prototype]) => [prototype, name]));
const ODD = new Map<string, unknown>([
  ["undefined", undefined],
  ["Infinity", Infinity],
  ["-Infinity", -Infinity],
  ["NaN", NaN],
]);

type Fields = Record<string, unknown>;

export function freeze(root: object): Image {
  const shapes: { kind: string; keys: readonly string[] }[] = [];
  const shapeNumbers = new Map<string, number>();
  const numbers = new Map<object, number>([[root, 0]]);
  const queue: object[] = [root];
  const objects: [number, ...Word[]][] = [];
  const word = (value: unknown): Word => {
    if (typeof value === "object" && value !== null) {
      let number = numbers.get(value);
      if (number === undefined) {
        number = queue.length;
        numbers.set(value, number);
        queue.push(value);
      }
      return [number];
    }
    if (typeof value === "string" || typeof value === "boolean" || value === null) return value;
    return typeof value === "number" && Number.isFinite(value) ? value : { v: String(value) };
  };
  const shape = (kind: string, keys: readonly string[]): number => {
    const key = `${kind} ${keys.join(" ")}`;
    let number = shapeNumbers.get(key);
    if (number === undefined) {
      number = shapes.push({ kind, keys }) - 1;
      shapeNumbers.set(key, number);
    }
    return number;
  };
  // The queue grows while it is walked.
  for (const object of queue) {
    if (Array.isArray(object)) objects.push([shape("Array", []), ...Array.from(object as unknown[], word)]);
    else if (object instanceof Float64Array) objects.push([shape("Float64Array", []), ...object]);
    else if (object instanceof Set) objects.push([shape("Set", []), ...[...object].map(word)]);
    else if (object instanceof Map) objects.push([shape("Map", []), ...[...object].flat().map(word)]);
    else {
      const prototype = Object.getPrototypeOf(object) as object;
      const kind = prototype === Object.prototype ? "Object" : NAMES.get(prototype);
      if (kind === undefined)
        throw new Error(`the scheduler's image has no word for a ${prototype.constructor.name}`);
      const keys = Object.keys(object);
      const fields = object as Fields;
      // Tags are the caller's: payloads may hang on them.
      objects.push([
        shape(kind, keys),
        ...keys.map((key) => (kind === "Task" && key === "tag" ? null : word(fields[key]))),
      ]);
    }
  }
  return { shapes, objects };
}

export function thaw({ shapes, objects }: Image): object {
  const made = objects.map(([shape, ...words]) => {
    const { kind } = shapes[shape]!;
    if (kind === "Array") return [];
    if (kind === "Float64Array") return Float64Array.from(words as number[]);
    if (kind === "Set") return new Set();
    if (kind === "Map") return new Map();
    if (kind === "Object") return {};
    const prototype = PROTOTYPES.get(kind);
    if (prototype === undefined) throw new Error(`a recording of another version: it has a ${kind}`);
    return Object.create(prototype) as object;
  });
  const value = (word: Word): unknown => {
    if (Array.isArray(word)) return made[(word as readonly [number])[0]];
    return typeof word === "object" && word !== null ? ODD.get((word as { v: string }).v) : word;
  };
  for (const [at, [shape, ...words]] of objects.entries()) {
    const object = made[at]!;
    const { keys } = shapes[shape]!;
    if (Array.isArray(object)) for (const word of words) object.push(value(word));
    else if (object instanceof Set) for (const word of words) object.add(value(word));
    else if (object instanceof Map)
      for (let i = 0; i < words.length; i += 2) object.set(value(words[i]!), value(words[i + 1]!));
    else if (!(object instanceof Float64Array))
      for (const [i, key] of keys.entries()) (object as Fields)[key] = value(words[i]!);
  }
  return made[0]!;
}
