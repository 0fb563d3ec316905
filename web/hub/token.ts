// The token that a link brought in its fragment: taken out of the address bar, kept by this tab.
import { parseToken, type Token } from "../../src/wire/token.js";
import { recall, remember } from "./memory.js";

/** A page's token is its own: one link lets in to compute, another to watch. */
const KEY = `token ${location.pathname}`;

/** What came with the link, or with an earlier load of this tab. Throws `bad_argument` for what is no token. */
export function takeToken(): Token | undefined {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given === null) {
    const kept = recall(KEY);
    return kept === undefined ? undefined : parseToken(kept);
  }
  history.replaceState(history.state, "", location.pathname);
  return keepToken(given);
}

/** Takes a token or a whole link that somebody pasted. */
export function keepToken(text: string): Token {
  const bare = /token=([^&\s]+)/.exec(text)?.[1] ?? text.trim();
  const token = parseToken(bare);
  remember(KEY, bare);
  return token;
}
