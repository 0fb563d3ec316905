// GET /api/events: the feed as server-sent events.
import type { IncomingMessage, ServerResponse } from "node:http";
import { MOST_WATCHERS, type EventFeed, type Watcher } from "./feed.js";

/** Past so many bytes that have not left, a watcher is behind. */
const BEHIND_BYTES = 1024 * 1024;

/** False, and nothing answered, when too many watch already. */
export function answerEvents(
  request: IncomingMessage,
  response: ServerResponse,
  feed: EventFeed,
  headers: Readonly<Record<string, string>>,
  allowed: () => boolean,
): boolean {
  if (feed.watchers >= MOST_WATCHERS) return false;
  response.writeHead(200, { ...headers, "content-type": "text/event-stream" });
  request.socket.setNoDelay(true);
  // A page redials by itself; not all at the same moment after a restart.
  response.write(`retry: ${1000 + Math.floor(Math.random() * 1000)}\n\n`);
  const watcher: Watcher = {
    send: (text) => void response.write(text),
    get behind() {
      return response.writableLength > BEHIND_BYTES;
    },
    allowed,
    end: () => void response.end(),
  };
  feed.add(watcher, Date.now());
  response.on("close", () => feed.remove(watcher));
  return true;
}
