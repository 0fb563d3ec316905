// The dashboard: follows the hub's events and shows the page that the address names.
import { render } from "preact";
import type { Token } from "../../src/wire/token.js";
import { Access } from "../hub/access.js";
import { follow } from "../hub/feed.js";
import { keepToken, takeToken } from "../hub/token.js";
import { restoreTheme } from "../parts/theme.js";
import { Board } from "./board.js";
import { Frame } from "./frame.js";
import { watchRoute } from "./route.js";
import type { Update } from "./update.js";

restoreTheme();
const board = new Board();
let link: { state: "waiting" | "up" | "lost" | "refused"; why: string } = { state: "waiting", why: "" };
let access = new Access(undefined);
let known: Token | undefined;
let stop = new AbortController();
let asked = false;

/** At most one drawing a frame, however much comes. */
function redraw(): void {
  if (asked) return;
  asked = true;
  requestAnimationFrame(() => {
    asked = false;
    render(
      <Frame board={board} access={access} link={link} onToken={(text) => begin(keepToken(text))} />,
      app,
    );
  });
}

function begin(token: Token | undefined): void {
  known = token;
  stop.abort();
  stop = new AbortController();
  const set = (state: typeof link.state, why: string) => {
    link = { state, why };
    redraw();
  };
  set("waiting", "");
  access = new Access(token);
  void follow(
    access,
    {
      onUpdate: (update) => {
        board.take(update as Update, performance.now());
        set("up", "");
      },
      onLost: (why) => set("lost", why),
      onRefused: (why) => set("refused", why),
    },
    stop.signal,
  );
}

/** A browser has six connections to a hub; a tab that nobody sees leaves its own to others. */
const HIDDEN_MS = 10_000;
let resting: ReturnType<typeof setTimeout> | undefined;
document.addEventListener("visibilitychange", () => {
  clearTimeout(resting);
  if (document.hidden) resting = setTimeout(() => stop.abort(), HIDDEN_MS);
  else if (stop.signal.aborted && link.state !== "refused") begin(known);
});

const app = document.getElementById("app")!;
watchRoute(redraw);
try {
  begin(takeToken());
} catch (error) {
  link = { state: "refused", why: (error as Error).message };
  redraw();
}
