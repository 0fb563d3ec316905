// What a page remembers. Storage may be refused (cookies blocked, private windows): then the tab's own history entry keeps what
// must outlive a reload, and the rest is forgotten.
type Place = "session" | "local";

function storage(place: Place): Storage | undefined {
  try {
    return place === "session" ? sessionStorage : localStorage;
  } catch {
    return undefined; // refused
  }
}

/** Kept in the history entry too; a navigation within the page must carry it on. */
function fromHistory(): Record<string, string> {
  const state = history.state as { kept?: Record<string, string> } | null;
  return state?.kept ?? {};
}

/** What this tab was told to keep, also over a reload. */
export function recall(key: string): string | undefined {
  try {
    return storage("session")?.getItem(`flockwork.${key}`) ?? fromHistory()[key];
  } catch {
    return fromHistory()[key];
  }
}

/** Keeps it for this tab; undefined: forgets it. */
export function remember(key: string, value: string | undefined): void {
  try {
    if (value === undefined) storage("session")?.removeItem(`flockwork.${key}`);
    else storage("session")?.setItem(`flockwork.${key}`, value);
  } catch {
    // The history entry has it.
  }
  const { [key]: _, ...rest } = fromHistory();
  history.replaceState({ kept: value === undefined ? rest : { ...rest, [key]: value } }, "");
}

/** After a navigation within the page: what was kept goes on to the new entry. */
export function carry(kept: Record<string, string>): void {
  history.replaceState({ kept }, "");
}

export function keptInHistory(): Record<string, string> {
  return fromHistory();
}

/** Whether choices outlast this visit. */
export function choicesLast(): boolean {
  try {
    const probe = "flockwork.probe";
    localStorage.setItem(probe, "");
    localStorage.removeItem(probe);
    return true;
  } catch {
    return false; // refused, or full
  }
}

/** A choice of this person's, for the next visit; where storage is refused, for this one only. */
export function choice<T>(key: string, fallback: T): T {
  try {
    const text = storage("local")?.getItem(`flockwork.${key}`);
    return text === null || text === undefined ? fallback : (JSON.parse(text) as T);
  } catch {
    return fallback;
  }
}

export function choose(key: string, value: unknown): void {
  try {
    storage("local")?.setItem(`flockwork.${key}`, JSON.stringify(value));
  } catch {
    // Refused, or full: it holds for this visit.
  }
}
