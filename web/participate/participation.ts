// This tab's part in the flock, as the page sees it: asked, at work, waiting for its hub, holding still, refused. The node itself
// is in a thread of its own (node-worker.ts); this decides what it is told.
import { formatToken, type Token } from "../../src/wire/token.js";
import { adapterHere, type AdapterInfo } from "../../src/engine/worker/adapter.js";
import { hubAddress } from "../hub/address.js";
import { choice, choose, recall, remember } from "../hub/memory.js";
import { LOADED, served } from "./build.js";
import { deviceKind } from "./device.js";
import { told, type Happening, type Told } from "./happenings.js";
import type { FromWorker, KeptFigures, ToWorker } from "./orders.js";
import { deviceName, keepSettings, onOthersChoice, readSettings, type Settings } from "./settings.js";

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
  /** What computes programs. */
  readonly provider: string;
  /** Why it computes no programs; "": it does. */
  readonly noEngine: string;
  readonly answered: number;
  readonly running: number;
  readonly doing: string;
  readonly settings: Settings;
  /** Tabs of this browser that take part, and this one's share of the tasks at the same time. */
  readonly share: { readonly tabs: number; readonly slots: number };
  /** What has happened, the newest first. */
  readonly happened: readonly Told[];
}

/** A shorter time out of sight is not worth a word. */
const HIDDEN_MS = 5000;

export class Participation {
  now: Now;
  readonly #token: () => Token | undefined;
  readonly #listeners = new Set<() => void>();
  #worker: Worker | undefined;
  #battery: Battery | undefined;
  /** What follows when it has left. */
  #after: (() => void) | undefined;
  #before = 0;
  #lost: { readonly at: number; readonly slept: number } | undefined;
  #hidden: { readonly at: number; readonly answered: number } | undefined;

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
      noEngine: "",
      answered: 0,
      running: 0,
      doing: "",
      settings: readSettings(),
      share: { tabs: 1, slots: readSettings().slots },
      happened: recallHappened(),
    };
    document.addEventListener("visibilitychange", () => this.#seen());
    onOthersChoice((settings) => this.#settle(settings));
    void watchBattery((battery) => {
      this.#battery = battery;
      this.#hold();
    });
    void adapterHere().then((card) => this.#set({ card }));
    if (recall("on") !== "yes") return;
    this.#happen({ what: recall("reloaded") === LOADED ? "upgraded" : "reloaded" });
    this.start();
  }

  watch(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  start(): void {
    if (this.#worker !== undefined) return;
    remember("on", "yes");
    const share = { tabs: 1, slots: this.now.settings.slots };
    this.#set({ phase: "joining", reason: "", running: 0, noEngine: "", share });
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
    keepSettings(changed);
    this.#settle(changed);
  }

  #settle(settings: Settings): void {
    const { slots, graphics } = this.now.settings;
    const other = settings.graphics !== graphics;
    this.#set({ settings, ...(other && { cardLost: "" }) });
    this.#hold();
    if (other) this.#joinAnew();
    else if (settings.slots !== slots) this.#tell({ do: "slots", slots: settings.slots });
  }

  /** As what it has become. */
  #joinAnew(): void {
    if (this.#worker === undefined) return;
    this.#after = () => this.start();
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
        this.#set({ provider: message.provider });
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
        this.#set({ phase: "on", id: message.id, reason: "" });
        this.#hold();
        void this.#reloadIfOld();
        break;
      case "up":
        if (this.now.phase === "waiting") {
          this.#set({ phase: "on", reason: "" });
          this.#hold();
          this.#back();
          void this.#reloadIfOld();
        }
        break;
      case "down":
        this.#lost = { at: Date.now(), slept: message.slept };
        if (this.now.phase !== "leaving") this.#set({ phase: "waiting", reason: message.reason });
        break;
      case "share": {
        const { tabs, slots } = message;
        const before = this.now.share;
        if (tabs === before.tabs && slots === before.slots) break;
        this.#set({ share: { tabs, slots } });
        if (tabs !== before.tabs) this.#happen({ what: "tabs", tabs, slots });
        break;
      }
      case "failed":
        this.#happen({ what: "task", code: message.code, message: message.message });
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
        if (message.code === "version_mismatch") this.#reload("another version");
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
    after?.();
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

  /** The page came into sight, or went out of it. */
  #seen(): void {
    const hidden = this.#hidden;
    const { answered, phase } = this.now;
    this.#hidden = document.hidden ? { at: Date.now(), answered } : undefined;
    const held = this.now.held === "hidden";
    this.#hold();
    if (hidden === undefined || document.hidden || phase !== "on") return;
    const ms = Date.now() - hidden.at;
    if (ms >= HIDDEN_MS) this.#happen({ what: "hidden", ms, answered: answered - hidden.answered, held });
  }

  /** The link is there again. */
  #back(): void {
    if (this.#lost === undefined) return;
    const { at, slept } = this.#lost;
    this.#lost = undefined;
    this.#happen(slept > 0 ? { what: "asleep", ms: slept } : { what: "away", ms: Date.now() - at });
  }

  /** A hub that was upgraded has other pages; this one is loaded anew, between tasks. */
  async #reloadIfOld(): Promise<void> {
    const build = await served();
    if (build === undefined || this.now.phase !== "on") return;
    if (build === LOADED) remember("reloaded", undefined);
    // Once for each build: something on the way may keep the old one.
    else if (recall("reloaded") === build) this.#happen({ what: "outdated" });
    else {
      this.#after = () => this.#reload(build);
      this.#leave();
    }
  }

  #reload(build: string): void {
    // What is still refused after that says so.
    if (recall("reloaded") === build) {
      remember("reloaded", undefined);
      this.#end("refused", "This page is older than the hub. Close it and open the link again.");
      return;
    }
    remember("reloaded", build);
    remember("on", "yes");
    location.reload();
  }

  #happen(happening: Happening): void {
    const happened = told(this.now.happened, happening, Date.now());
    remember("happened", JSON.stringify(happened));
    this.#set({ happened });
  }

  #tell(order: ToWorker): void {
    this.#worker?.postMessage(order);
  }

  #set(part: Partial<Now>): void {
    this.now = { ...this.now, ...part };
    for (const listener of this.#listeners) listener();
  }
}

function recallHappened(): readonly Told[] {
  try {
    return JSON.parse(recall("happened") ?? "[]") as readonly Told[];
  } catch {
    return []; // Somebody else's.
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
