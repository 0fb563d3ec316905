// Which build of the pages this is, and which one the hub serves now: assets have names that say their content.

/** The assets that a page names. */
export function assetsOf(html: string): string {
  const names = [...html.matchAll(/\b(?:src|href)="(\/assets\/[^"]+)"/g)].map(([, name]) => name!);
  return [...new Set(names)].sort().join(" ");
}

/** Of this page, as it came: before anything more is loaded. */
export const LOADED = assetsOf(globalThis.document?.documentElement.outerHTML ?? "");

/** What the hub has now; undefined: it does not answer, or has no such page. */
export async function served(): Promise<string | undefined> {
  try {
    const response = await fetch("/", { cache: "no-store" });
    const assets = response.ok ? assetsOf(await response.text()) : "";
    return assets === "" ? undefined : assets;
  } catch {
    return undefined; // There will be another return.
  }
}
