// What an observer may see of a hub: sessions of its owner, nodes and payloads of its domain. A hash is no permission.
import type { Observer } from "./tickets.js";
import type { Ledger } from "./ledger.js";

/** Whether something of a domain, and of an owner where it has one, is the observer's to see. */
export function sees(
  observer: Observer,
  { domain, owner }: { readonly domain: string; readonly owner?: string },
): boolean {
  if (observer.domain !== undefined && observer.domain !== domain) return false;
  return observer.owner === undefined || owner === undefined || observer.owner === owner;
}

/** Whether this payload belongs to a job that the observer may see. */
export function mayRead(observer: Observer, hash: string, ledger: Pick<Ledger, "segments">): boolean {
  if (observer.domain === undefined && observer.owner === undefined) return true;
  for (const { blobs, jobs } of ledger.segments())
    for (const [index, blob] of blobs ?? []) {
      const session = blob.hash === hash ? jobs[index]?.session : undefined;
      if (session !== undefined && sees(observer, session)) return true;
    }
  return false;
}
