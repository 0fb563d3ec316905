// The dashboard's frame: where one is, how the link stands, and the page.
import { useState } from "preact/hooks";
import type { Access } from "../hub/access.js";
import { Mark } from "../parts/mark.js";
import { count } from "../parts/numbers.js";
import { ThemeSwitch } from "../parts/theme.js";
import type { Board } from "./board.js";
import { Errors } from "./errors.js";
import { Graphs } from "./graphs.js";
import { Jobs } from "./jobs.js";
import { Nodes } from "./nodes.js";
import { Overview } from "./overview.js";
import { pathTo, PLACES, route, type Place } from "./route.js";

export interface FrameProps {
  readonly board: Board;
  readonly access: Access;
  readonly link: { readonly state: "waiting" | "up" | "lost" | "refused"; readonly why: string };
  readonly onToken: (text: string) => void;
}

const NAMES: { readonly [place in Place]: string } = {
  overview: "Overview",
  nodes: "Nodes",
  jobs: "Jobs",
  graphs: "Graphs",
  errors: "Errors",
};

const LINK = {
  waiting: ["wait", "Asking the hub"],
  up: ["on", "Live"],
  lost: ["wait", "The hub is away; trying again"],
  refused: ["bad", "Not let in"],
} as const;

export function Frame({ board, access, link, onToken }: FrameProps) {
  const { place, one } = route();
  const sizes: { readonly [place in Place]?: number } = {
    nodes: board.nodes.size,
    jobs: board.jobs.size,
    graphs: board.graphs.length,
    errors: board.errors.length,
  };
  const [dot, words] = LINK[link.state];
  document.title = `${one ?? NAMES[place]} · Flockwork`;
  return (
    <div class="board">
      <header>
        <a class="brand" href="/">
          <Mark /> Flockwork
        </a>
        <nav aria-label="Dashboard">
          {PLACES.map((name) => (
            <a href={pathTo(name)} aria-current={name === place ? "page" : undefined}>
              {NAMES[name]}
              {sizes[name] !== undefined && <span class="soft small">{count(sizes[name])}</span>}
            </a>
          ))}
        </nav>
        <p class="link-state" role="status" data-link={link.state}>
          <span class={`dot ${dot}`} aria-hidden="true" style={{ display: "inline-block" }} /> {words}
        </p>
        <ThemeSwitch />
      </header>
      <main>
        {link.state === "refused" ? (
          <NotLetIn why={link.why} onToken={onToken} />
        ) : board.version === 0 ? (
          <p class="empty">
            {link.state === "lost" ? "No hub answers yet. This page goes on asking." : "One moment."}
          </p>
        ) : (
          <>
            {link.state === "lost" && (
              <p class="note" role="alert">
                {link.why} What you see is the last it said; this page goes on by itself when it is back.
              </p>
            )}
            <Content board={board} access={access} place={place} one={one} />
          </>
        )}
      </main>
    </div>
  );
}

interface ContentProps extends Pick<FrameProps, "board" | "access"> {
  readonly place: Place;
  readonly one: string | undefined;
}

function Content({ board, access, place, one }: ContentProps) {
  switch (place) {
    case "overview":
      return <Overview board={board} />;
    case "nodes":
      return <Nodes board={board} one={one} />;
    case "jobs":
      return <Jobs board={board} one={one} />;
    case "graphs":
      return <Graphs board={board} access={access} one={one} />;
    case "errors":
      return <Errors board={board} />;
    default:
      return place satisfies never;
  }
}

function NotLetIn({ why, onToken }: { readonly why: string; readonly onToken: (text: string) => void }) {
  const [text, setText] = useState("");
  const [wrong, setWrong] = useState("");
  return (
    <section class="card">
      <h1>A link lets you in</h1>
      <p>{why}</p>
      <p>
        Whoever runs the hub has a link for watching: <code>flockwork up</code> printed it,{" "}
        <code>flockwork token create --role observe</code> makes another. Paste it here; the token in it stays
        in this tab and never crosses the network.
      </p>
      <form
        class="paste"
        onSubmit={(event) => {
          event.preventDefault();
          try {
            onToken(text);
          } catch (error) {
            setWrong((error as Error).message);
          }
        }}
      >
        <input
          type="text"
          aria-label="Link or token"
          autocomplete="off"
          spellcheck={false}
          value={text}
          onInput={({ currentTarget }) => setText(currentTarget.value)}
        />
        <button type="submit">Watch</button>
      </form>
      {wrong !== "" && <p role="alert">{wrong}</p>}
    </section>
  );
}
