// This tab's part in the flock, as the page sees it: asked, at work, waiting for its hub, holding still, refused. The node itself
// is in a thread of its own (node-worker.ts); this decides what it is told.
import { formatToken, type Token } from "../../src/wire/token.js";
import { adapterHere, type AdapterInfo } from "../../src/engine/worker/adapter.js";
import { hubAddress } from "../hub/address.js";
import { choice, choose, recall, remember } from "../hub/memory.js";
import { deviceKind } from "./device.js";
import type { FromWorker, KeptFigures, ToWorker } from "./orders.js";
import { deviceName, keepSettings, readSettings, type Settings } from "./settings.js";

export type Phase = "idle" | "joining" | "on" | "waiting" | "leaving" | "refused";

export interface Now {
  readonly phase: Phase;
  /** Why it holds still though it is on; undefined: it does not. */
  readonly held: "hidden" | "battery" | undefined;
  readonly reason: string;
  readonly id: string;
  readonly figures: KeptFigures | undefined;
  /** What graphics card WebGPU finds; undefined: none. */
  readonly card: AdapterInfo | undefined;
  /** Why it does not compute on it though it was to; "": it does, or was not to. */
  readonly cardLost: string;
  /** What computes programs, and how many at a time. */
  readonly provider: string;
  readonly slots: number;
  /** Why it computes no programs; "": it does. */
  readonly noEngine: string;
  readonly answered: number;
  readonly running: number;
  readonly doing: string;
  readonly settings: Settings;
  /** Times the link was lost and came back. */
  readonly breaks: number;
}

/** The hub's pages have changed: this tab belongs to an older hub. */
const PAGE = "/";

export class Participation {
  now: Now;
  readonly #token: () => Token | undefined;
  readonly #listeners = new Set<() => void>();
  #worker: Worker | undefined;
  #battery: Battery | undefined;
  /** Joins anew once it has left: its slots have changed, or the page is to be loaded again. */
  #after: "join" | "reload" | undefined;
  #before = 0;
  #etag: string | null | undefined;

  constructor(token: () => Token | undefined) {
    this.#token = token;
    this.now = {
      phase: "idle",
      held: undefined,
      reason: "",
      id: "",
      figures: choice<KeptFigures | undefined>("figures", undefined),
      card: undefined,
      cardLost: "",
      provider: "",
      slots: 0,
      noEngine: "",
      answered: 0,
      running: 0,
      doing: "",
      settings: readSettings(),
      breaks: 0,
    };
    document.addEventListener("visibilitychange", () => this.#hold());
    void watchBattery((battery) => {
      this.#battery = battery;
      this.#hold();
    });
    void this.#pageTag().then((tag) => (this.#etag = tag));
    void adapterHere().then((card) => this.#set({ card }));
    if (recall("on") === "yes") this.start();
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    if (this.#worker !== undefined) return;
    remember("on", "yes");
    this.#set({ phase: "joining", reason: "", running: 0, noEngine: "" });
    const worker = new Worker(new URL("./node-worker.ts", import.meta.url), { type: "module" });
    this.#worker = worker;
    worker.onmessage = ({ data }: MessageEvent<FromWorker>) => this.#heard(data);
    worker.onerror = (event) => {
      event.preventDefault();
      this.#end("refused", "This tab's computing thread has stopped. Press Participate to start it again.");
    };
    const token = this.#token();
    this.#tell({
      do: "join",
      hub: hubAddress(),
      token: token && formatToken(token),
      slots: this.now.settings.slots,
      // A card that failed is not tried again before the page is loaded anew.
      graphics: this.now.cardLost === "" ? this.now.settings.graphics : false,
      labels: ["browser", deviceKind(navigator.userAgent), `device:${deviceName()}`],
      figures: this.now.figures,
    });
  }

  /** Finishes what runs, gives back what waits, leaves. */
  stop(): void {
    remember("on", undefined);
    this.#after = undefined;
    this.#leave();
  }

  change(settings: Partial<Settings>): void {
    const changed = { ...this.now.settings, ...settings };
    const { slots, graphics } = this.now.settings;
    const other = changed.slots !== slots || changed.graphics !== graphics;
    keepSettings(changed);
    this.#set({ settings: changed, ...(changed.graphics !== graphics && { cardLost: "" }) });
    this.#hold();
    if (other) this.#joinAnew();
  }

  /** As what it has become. */
  #joinAnew(): void {
    if (this.#worker === undefined) return;
    this.#after = "join";
    this.#leave();
  }

  #leave(): void {
    if (this.#worker === undefined) return this.#end("idle", "");
    const connected = this.now.phase === "on";
    this.#set({ phase: "leaving" });
    // Without a hub there is nobody to say goodbye to.
    if (connected) this.#tell({ do: "leave" });
    else this.#left();
  }

  #heard(message: FromWorker): void {
    switch (message.is) {
      case "figures":
        choose("figures", message.kept);
        this.#set({ figures: message.kept });
        break;
      case "computes":
        this.#set({ provider: message.provider, slots: message.slots });
        break;
      case "card-lost":
        this.#set({ cardLost: message.why });
        // Others must know what computes here now. While it joins, it says so by itself.
        if (this.now.phase === "on" || this.now.phase === "waiting") this.#joinAnew();
        break;
      case "no-engine":
        this.#set({ noEngine: message.why });
        break;
      case "joined":
        remember("reloaded", undefined);
        this.#set({ phase: "on", id: message.id, reason: "" });
        this.#hold();
        break;
      case "up":
        if (this.now.phase === "waiting") {
          this.#set({ phase: "on", reason: "", breaks: this.now.breaks + 1 });
          void this.#reloadIfOld();
        }
        break;
      case "down":
        this.#set({ phase: "waiting", reason: message.reason });
        break;
      case "waiting":
        this.#set({ phase: "waiting", reason: "no hub answers" });
        break;
      case "tally":
        this.#set({
          answered: this.#before + message.answered,
          running: message.running,
          doing: message.doing,
        });
        break;
      case "notice":
        break;
      case "refused":
        // The page is what an older hub sent: a new one comes with the new hub.
        if (message.code === "version_mismatch") this.#reload();
        else this.#end("refused", message.message);
        break;
      case "left":
        this.#left();
        break;
      default:
        message satisfies never;
    }
  }

  #left(): void {
    const after = this.#after;
    this.#after = undefined;
    this.#before = this.now.answered;
    this.#end("idle", "");
    if (after === "join") this.start();
    else if (after === "reload") this.#reload();
  }

  #end(phase: Phase, reason: string): void {
    this.#worker?.terminate();
    this.#worker = undefined;
    if (phase === "refused") remember("on", undefined);
    this.#set({ phase, reason, running: 0, held: undefined });
  }

  /** Holds still, or goes on, as the settings want it now. */
  #hold(): void {
    const { settings, phase, held } = this.now;
    const why =
      settings.pauseHidden && document.hidden
        ? "hidden"
        : settings.pauseBattery && this.#battery !== undefined && !this.#battery.charging
          ? "battery"
          : undefined;
    if (this.#worker === undefined || (phase !== "on" && phase !== "waiting") || why === held) return;
    this.#tell({ do: why === undefined ? "resume" : "pause" });
    this.#set({ held: why });
  }

  /** After a return: a hub that was upgraded has other pages; this one is loaded anew, between tasks. */
  async #reloadIfOld(): Promise<void> {
    const tag = await this.#pageTag();
    if (tag === undefined || this.#etag === undefined || tag === this.#etag) return;
    this.#after = "reload";
    this.#leave();
  }

  #reload(): void {
    // Once: a page that is still refused after that says so.
    if (recall("reloaded") === "yes") {
      remember("reloaded", undefined);
      this.#end("refused", "This page is older than the hub. Close it and open the link again.");
      return;
    }
    remember("reloaded", "yes");
    remember("on", "yes");
    location.reload();
  }

  /** What names the page's present content; undefined: the hub does not answer. */
  async #pageTag(): Promise<string | null | undefined> {
    try {
      return (await fetch(PAGE, { method: "HEAD", cache: "no-store" })).headers.get("etag");
    } catch {
      return undefined; // no hub; there will be another return
    }
  }

  #tell(order: ToWorker): void {
    this.#worker?.postMessage(order);
  }

  #set(part: Partial<Now>): void {
    this.now = { ...this.now, ...part };
    for (const listener of this.#listeners) listener();
  }
}

interface Battery extends EventTarget {
  readonly charging: boolean;
}

/** Whether a browser tells at all is up to it; in insecure pages none does. */
export const TELLS_BATTERY = "getBattery" in navigator;

async function watchBattery(tell: (battery: Battery) => void): Promise<void> {
  if (!TELLS_BATTERY) return;
  try {
    const battery = await (navigator as unknown as { getBattery(): Promise<Battery> }).getBattery();
    battery.addEventListener("chargingchange", () => tell(battery));
    tell(battery);
  } catch {
    // It does not tell after all.
  }
}
