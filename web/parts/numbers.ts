// Numbers as people read them.
const whole = new Intl.NumberFormat("en");
const short = new Intl.NumberFormat("en", { notation: "compact", maximumFractionDigits: 1 });

export function count(value: number): string {
  return whole.format(value);
}

/** 1,234 as it is, 1,234,567 as 1.2M. */
export function compact(value: number): string {
  return Math.abs(value) < 10_000 ? whole.format(Math.round(value * 10) / 10) : short.format(value);
}

export function perSecond(value: number): string {
  return value > 0 && value < 10 ? value.toFixed(1) : compact(Math.round(value));
}

const UNITS = ["B", "kB", "MB", "GB", "TB"];

export function bytes(value: number): string {
  let unit = 0;
  while (value >= 1000 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** Milliseconds as 0.4 ms, 12 ms, 3.1 s, 2 min. */
export function duration(ms: number): string {
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${(ms / 1000).toFixed(1)} s`;
  if (ms < 3_600_000) return `${Math.floor(ms / 60_000)} min`;
  return `${Math.floor(ms / 3_600_000)} h ${Math.floor((ms % 3_600_000) / 60_000)} min`;
}

/** How long ago, in few words. */
export function ago(ms: number): string {
  return ms < 2000 ? "now" : `${duration(ms)} ago`;
}
