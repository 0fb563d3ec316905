// Light, dark, or as the device has it.
import { useState } from "preact/hooks";
import { choice, choose } from "../hub/memory.js";

const THEMES = ["auto", "light", "dark"] as const;
type Theme = (typeof THEMES)[number];

function show(theme: Theme): void {
  if (theme === "auto") delete document.documentElement.dataset["theme"];
  else document.documentElement.dataset["theme"] = theme;
  // Charts and canvases take their colours from the page.
  dispatchEvent(new Event("themechange"));
}

export function restoreTheme(): void {
  show(choice<Theme>("theme", "auto"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () =>
    dispatchEvent(new Event("themechange")),
  );
}

export function ThemeSwitch() {
  const [theme, setTheme] = useState(choice<Theme>("theme", "auto"));
  const next = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length]!;
  return (
    <button
      type="button"
      class="quiet"
      aria-label={`Theme: ${theme}. Change to ${next}.`}
      onClick={() => {
        setTheme(next);
        choose("theme", next);
        show(next);
      }}
    >
      <span aria-hidden="true">{{ auto: "◐", light: "☀", dark: "☾" }[theme]}</span>
      <span class="wide-only">{theme}</span>
    </button>
  );
}

let probe: HTMLElement | undefined;

/** A colour of the design, by name, as the page has it now: `rgb(r, g, b)`. */
export function colour(name: string): string {
  // Only where a colour is used does the browser say which of the two it is.
  probe ??= document.head.appendChild(document.createElement("meta"));
  probe.style.color = `var(--${name})`;
  return getComputedStyle(probe).color;
}
