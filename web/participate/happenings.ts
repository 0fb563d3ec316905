// What has happened to this tab, each in one sentence: the last few, also over a reload.
import { duration } from "../parts/numbers.js";

export type Happening =
  /** The hub could not be reached for so long. */
  | { readonly what: "away"; readonly ms: number }
  /** The tab, or the whole device, stood still for so long. */
  | { readonly what: "asleep"; readonly ms: number }
  | { readonly what: "hidden"; readonly ms: number; readonly answered: number; readonly held: boolean }
  | { readonly what: "reloaded" }
  /** It was loaded anew since its hub had other pages. */
  | { readonly what: "upgraded" }
  /** The same, but what came was the old page again. */
  | { readonly what: "outdated" }
  /** Other tabs of this browser came or went: so many take part now, and this one runs so many tasks at once. */
  | { readonly what: "tabs"; readonly tabs: number; readonly slots: number }
  /** A task came to nothing here. */
  | { readonly what: "task"; readonly code: string; readonly message: string };

type Of<What extends Happening["what"]> = Extract<Happening, { readonly what: What }>;

const tasks = (n: number) => (n === 1 ? "1 task" : `${n} tasks`);

const SENTENCES: { readonly [What in Happening["what"]]: (happening: Of<What>) => string } = {
  away: ({ ms }) => `The hub could not be reached for ${duration(ms)}; it is back, and this tab goes on.`,
  asleep: ({ ms }) =>
    `This device, or this tab, slept for ${duration(ms)}; others could take over what it had begun, and it goes on now.`,
  hidden: ({ ms, answered, held }) =>
    held
      ? `This tab was hidden for ${duration(ms)} and held still, as you wished.`
      : `This tab was hidden for ${duration(ms)} and went on: ${tasks(answered)} meanwhile.`,
  reloaded: () => "This page was loaded anew, and goes on; what it had begun went back to the hub.",
  upgraded: () => "The hub has newer pages, so this tab finished what it had begun and loaded itself anew.",
  outdated: () =>
    "The hub has newer pages, but loading anew brought the old one again; it goes on with that, until you open the link again.",
  tabs: ({ tabs, slots }) =>
    tabs === 1
      ? `This is the only tab of this device now, and computes ${tasks(slots)} at a time.`
      : `${tabs} tabs of this device share what it may use, and this one computes ${tasks(slots)} at a time.`,
  task: ({ code, message }) => (TASKS[code] ?? TASKS.other)(message),
};

const TASKS: { readonly [code: string]: (message: string) => string } & {
  readonly other: (message: string) => string;
} = {
  out_of_memory: (message) =>
    `A task needed more memory than this tab has for it, so the hub got it back (${message}).`,
  engine_crashed: (message) =>
    `A task broke the engine, which is started anew, and the hub got the task back (${message}).`,
  other: (message) => `A task could not be computed here (${message}).`,
};

export function sentenceOf(happening: Happening): string {
  const say = SENTENCES[happening.what] as (happening: Happening) => string;
  return say(happening);
}

/** A happening that somebody can read. */
export interface Told {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly text: string;
}

const MOST = 6;
const LONGEST = 300;

/** The newest first. The same again takes the place of the last. */
export function told(before: readonly Told[], happening: Happening, at: number): readonly Told[] {
  const text = sentenceOf(happening);
  const fresh = { at, text: text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text };
  const rest = before[0]?.text === fresh.text ? before.slice(1) : before;
  return [fresh, ...rest].slice(0, MOST);
}
