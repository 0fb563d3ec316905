// How much of the device this tab may use, and when it holds still: kept for the next visit.
import { choice, choose, recall, remember } from "../hub/memory.js";

export interface Settings {
  /** Tasks at the same time. */
  readonly slots: number;
  readonly pauseHidden: boolean;
  readonly pauseBattery: boolean;
  /** Whether it computes on the graphics card; undefined: where there is a real one. */
  readonly graphics: boolean | undefined;
}

export const CORES = Math.max(1, navigator.hardwareConcurrency ?? 1);

export function readSettings(): Settings {
  const kept = choice<Partial<Settings>>("settings", {});
  const slots = Math.min(CORES, Math.max(1, kept.slots ?? Math.ceil(CORES / 2)));
  return {
    slots,
    pauseHidden: kept.pauseHidden ?? false,
    pauseBattery: kept.pauseBattery ?? true,
    graphics: kept.graphics,
  };
}

export function keepSettings(settings: Settings): void {
  choose("settings", settings);
}

/** Another tab of this browser has chosen. */
export function onOthersChoice(tell: (settings: Settings) => void): void {
  addEventListener("storage", ({ key }) => {
    if (key === null || key.endsWith(".settings")) tell(readSettings());
  });
}

/** The same for all tabs of this browser, so that they count as one device; where storage is refused, this tab's own. */
export function deviceName(): string {
  const known = choice<string | undefined>("device", undefined) ?? recall("device");
  if (known !== undefined) return known;
  const made = Array.from(crypto.getRandomValues(new Uint8Array(4)), (b) =>
    b.toString(16).padStart(2, "0"),
  ).join("");
  choose("device", made);
  remember("device", made);
  return made;
}
