// The timeline of tasks, node by node: it can be zoomed, moved and paused, by pointer and by keyboard.
import { useEffect, useRef, useState } from "preact/hooks";
import { duration } from "../parts/numbers.js";
import type { TimelineSource } from "./timeline-source.js";
import { TimelineView } from "./timeline-view.js";

const STEP = 1.6;

export function Timeline({ source }: { readonly source: TimelineSource }) {
  const scroll = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const tall = useRef<HTMLDivElement>(null);
  const view = useRef<TimelineView>(null);
  const [shown, setShown] = useState({ span: 30_000, paused: false });
  const [told, setTold] = useState("");

  useEffect(() => {
    // It may have gone before it was ever drawn.
    if (scroll.current === null || canvas.current === null || tall.current === null) return undefined;
    const made = new TimelineView(source, {
      scroll: scroll.current,
      canvas: canvas.current,
      spacer: tall.current,
      changed: setShown,
      told: setTold,
    });
    view.current = made;
    return () => made.end();
  }, [source]);

  const keys: { readonly [key: string]: () => void } = {
    "+": () => view.current?.zoom(1 / STEP),
    "=": () => view.current?.zoom(1 / STEP),
    "-": () => view.current?.zoom(STEP),
    ArrowLeft: () => view.current?.move(-0.2),
    ArrowRight: () => view.current?.move(0.2),
    " ": () => view.current?.pause(!shown.paused),
    End: () => view.current?.pause(false),
  };
  return (
    <>
      <div class="tools">
        <button type="button" aria-pressed={shown.paused} onClick={() => view.current?.pause(!shown.paused)}>
          {shown.paused ? "Follow" : "Pause"}
        </button>
        <button type="button" aria-label="Zoom in" onClick={() => view.current?.zoom(1 / STEP)}>
          +
        </button>
        <button type="button" aria-label="Zoom out" onClick={() => view.current?.zoom(STEP)}>
          −
        </button>
        <span class="soft small">
          {duration(shown.span)} across
          {source.tasks.skipped > 0 ? `; ${source.tasks.skipped} tasks were too many to show` : ""}
        </span>
        <span class="small">{told}</span>
      </div>
      <div
        class="timeline"
        ref={scroll}
        tabIndex={0}
        role="group"
        aria-label="Timeline of tasks. Plus and minus zoom, the arrows move, space pauses."
        onKeyDown={(event) => {
          const act = keys[event.key];
          if (act === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
          event.preventDefault();
          act();
        }}
      >
        <canvas ref={canvas} role="img" aria-label="A row for each node, a bar for each task" />
        <div ref={tall} />
      </div>
    </>
  );
}
