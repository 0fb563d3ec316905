// Which page of the dashboard the address names: #/nodes, #/nodes/ID, ... The rest of the address is the hub's.
import { carry, keptInHistory } from "../hub/memory.js";

export const PLACES = ["overview", "nodes", "jobs", "graphs", "errors"] as const;
export type Place = (typeof PLACES)[number];

export interface Route {
  readonly place: Place;
  /** One of them; undefined: all. */
  readonly one: string | undefined;
}

export function route(): Route {
  const [place = "", ...rest] = location.hash.replace(/^#\/?/, "").split("/");
  const known = PLACES.find((name) => name === place) ?? "overview";
  const one = rest.map(decodeURIComponent).join("/");
  return { place: known, one: one === "" ? undefined : one };
}

export function pathTo(place: Place, one?: string): string {
  if (one !== undefined) return `#/${place}/${encodeURIComponent(one)}`;
  return place === "overview" ? "#/" : `#/${place}`;
}

/** `changed` is called when another page is to be shown. */
export function watchRoute(changed: () => void): void {
  let kept = keptInHistory();
  addEventListener("hashchange", () => {
    // A link with a token was put into the address of an open page.
    if (location.hash.includes("token=")) return location.reload();
    if (history.state === null) carry(kept);
    else kept = keptInHistory();
    changed();
    scrollTo(0, 0);
  });
}
