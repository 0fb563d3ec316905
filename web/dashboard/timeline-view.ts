// Draws the timeline on its canvas: only the rows and the seconds in sight, and of what lies on one pixel only the first.
import { duration } from "../parts/numbers.js";
import { colour } from "../parts/theme.js";
import { MOST_LANES } from "./lanes.js";
import { drawAxis } from "./timeline-axis.js";
import { TimelineRows } from "./timeline-rows.js";
import type { TimelineSource } from "./timeline-source.js";

export interface TimelinePlace {
  /** What scrolls, the canvas in it that stays, and what gives it its height. */
  readonly scroll: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly spacer: HTMLElement;
  changed(shown: { span: number; paused: boolean }): void;
  /** About the task under the pointer. */
  told(text: string): void;
}

const LEAST_SPAN = 50;
const MOST_SPAN = 600_000;
const NAMES = 132;
const FRAME_MS = 33;
const MOST_HEIGHT = 480;
const HUES = 8;

export class TimelineView {
  readonly #source: TimelineSource;
  readonly #place: TimelinePlace;
  readonly #context: CanvasRenderingContext2D;
  readonly #stop = new AbortController();
  readonly #resize: ResizeObserver;
  #span = 30_000;
  /** The right edge while it is paused; undefined: it follows the hub's clock. */
  #held: number | undefined;
  #colours!: { hues: string[]; bad: string; ink: string; soft: string; line: string; card: string };
  #frame = 0;
  #last = 0;
  #drawn = -1;
  #drag: { x: number; at: number } | undefined;
  readonly #rows = new TimelineRows();
  #width = 0;
  #height = 0;

  constructor(source: TimelineSource, place: TimelinePlace) {
    this.#source = source;
    this.#place = place;
    this.#context = place.canvas.getContext("2d")!;
    const { signal } = this.#stop;
    this.#paint();
    addEventListener("themechange", () => this.#paint(), { signal });
    this.#resize = new ResizeObserver(() => (this.#drawn = -1));
    this.#resize.observe(place.scroll);
    place.scroll.addEventListener("scroll", () => (this.#drawn = -1), { signal });
    place.canvas.addEventListener("pointerdown", (event) => this.#take(event), { signal });
    place.canvas.addEventListener("pointermove", (event) => this.#moved(event), { signal });
    place.canvas.addEventListener("pointerup", () => (this.#drag = undefined), { signal });
    place.canvas.addEventListener("pointerleave", () => place.told(""), { signal });
    place.canvas.addEventListener("wheel", (event) => this.#wheel(event), { signal, passive: false });
    const first = source.first();
    if (first !== undefined) {
      const seen = (first.to ?? source.clock()) - first.from;
      const margin = seen * 0.04 + 20;
      this.#span = clampSpan(seen + 2 * margin);
      if (first.to !== undefined) this.#held = Math.min(source.clock(), first.to + margin);
    }
    this.#frame = requestAnimationFrame(this.#step);
    this.#tell();
  }

  end(): void {
    cancelAnimationFrame(this.#frame);
    this.#resize.disconnect();
    this.#stop.abort();
  }

  pause(paused: boolean): void {
    this.#held = paused ? this.#right() : undefined;
    this.#tell();
  }

  zoom(by: number): void {
    this.#span = clampSpan(this.#span * by);
    this.#tell();
  }

  /** By a part of what is in sight; moving stops the clock. */
  move(by: number): void {
    this.#held = Math.min(this.#clock(), this.#right() + by * this.#span);
    this.#tell();
  }

  #tell(): void {
    this.#drawn = -1;
    this.#place.changed({ span: this.#span, paused: this.#held !== undefined });
  }

  #clock(): number {
    return this.#source.clock();
  }

  #right(): number {
    return this.#held ?? this.#clock();
  }

  #paint(): void {
    this.#colours = {
      hues: Array.from({ length: HUES }, (_, i) => colour(`hue-${i}`)),
      bad: colour("bad"),
      ink: colour("ink"),
      soft: colour("soft"),
      line: colour("line"),
      card: colour("sunk"),
    };
    this.#drawn = -1;
  }

  readonly #step = (now: number) => {
    this.#frame = requestAnimationFrame(this.#step);
    if (now - this.#last < FRAME_MS) return;
    // Paused, it only changes when somebody moves it, or what it shows does.
    const same = this.#drawn === this.#held && !this.#rows.fresh(this.#source);
    if (this.#held !== undefined && same) return;
    this.#last = now;
    this.#draw();
    this.#drawn = this.#held ?? -1;
  };

  #fit(): void {
    const { scroll, canvas, spacer } = this.#place;
    const rows = Math.max(26, this.#rows.height) + 22;
    const width = scroll.clientWidth;
    const height = Math.min(rows, MOST_HEIGHT - 4);
    const scale = Math.min(2, devicePixelRatio);
    if (width !== this.#width || height !== this.#height || canvas.width !== Math.round(width * scale)) {
      this.#width = width;
      this.#height = height;
      canvas.width = Math.round(width * scale);
      canvas.height = Math.round(height * scale);
      canvas.style.width = `${width}px`;
      canvas.style.height = `${height}px`;
    }
    const rest = `${Math.max(0, rows - height)}px`;
    if (spacer.style.height !== rest) spacer.style.height = rest;
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
  }

  #names(): number {
    return Math.min(NAMES, this.#width / 3);
  }

  #draw(): void {
    this.#rows.take(this.#source);
    this.#fit();
    const context = this.#context;
    const { hues, bad, soft, line, card } = this.#colours;
    const names = this.#names();
    const top = this.#place.scroll.scrollTop;
    const { rows, places } = this.#rows;
    const right = this.#right();
    const left = right - this.#span;
    const scale = (this.#width - names) / this.#span;
    const bottom = this.#height - 20;
    context.fillStyle = card;
    context.fillRect(0, 0, this.#width, this.#height);
    const axis = {
      left,
      span: this.#span,
      scale,
      names,
      bottom,
      width: this.#width,
      epoch: this.#source.epoch,
    };
    drawAxis(context, axis, line, soft);
    context.save();
    context.beginPath();
    context.rect(0, 0, this.#width, bottom);
    context.clip();
    // The newest first; what would fall on a pixel that has been drawn is left out.
    const reached = new Map<number, number>();
    const { tasks } = this.#source;
    for (const slot of tasks.latest()) {
      const end = tasks.end[slot]!;
      if (end < left) break;
      const row = places.get(tasks.node[slot]!);
      if (row === undefined || end - tasks.ms[slot]! > right) continue;
      const x1 = names + (Math.min(end, right) - left) * scale;
      const x0 = Math.max(names, names + (end - tasks.ms[slot]! - left) * scale);
      const lane = tasks.lane[slot]!;
      const key = row * MOST_LANES + lane;
      if (x0 >= (reached.get(key) ?? Infinity) - 0.5) continue;
      reached.set(key, Math.min(reached.get(key) ?? Infinity, Math.floor(x0)));
      const [y, bar] = this.#rows.lane(row, lane);
      if (y + bar < top || y > top + bottom) continue;
      context.fillStyle = tasks.ok[slot] === 1 ? hues[tasks.service[slot]! % HUES]! : bad;
      context.fillRect(x0, y - top, Math.max(1, x1 - x0 - (x1 - x0 > 4 ? 1 : 0)), bar);
    }
    this.#running(left, names, scale, top);
    context.fillStyle = card;
    context.fillRect(0, 0, names - 6, bottom);
    context.fillStyle = soft;
    context.font = `${this.#rows.roomy ? 12 : 9}px "Figtree Variable", sans-serif`;
    context.textBaseline = "middle";
    for (let i = Math.max(0, this.#rows.at(top)); i <= this.#rows.at(top + bottom); i++)
      context.fillText(rows[i]!.id, 8, this.#rows.middle(i) - top, names - 16);
    context.restore();
    context.strokeStyle = line;
    context.beginPath();
    context.moveTo(names - 6, 0);
    context.lineTo(names - 6, bottom);
    context.stroke();
  }

  /** What has not ended yet, up to now. */
  #running(left: number, names: number, scale: number, top: number): void {
    const right = left + this.#span;
    const now = Math.min(right, this.#clock());
    const context = this.#context;
    context.globalAlpha = 0.55;
    for (const { row, lane, hue, since } of this.#source.running()) {
      const place = this.#rows.places.get(row);
      if (place === undefined || since > right) continue;
      const x0 = Math.max(names, names + (since - left) * scale);
      const [y, bar] = this.#rows.lane(place, lane);
      context.fillStyle = this.#colours.hues[hue % HUES]!;
      context.fillRect(x0, y - top, Math.max(1, names + (now - left) * scale - x0), bar);
    }
    context.globalAlpha = 1;
  }

  #take(event: PointerEvent): void {
    if (event.pointerType === "touch" && !event.isPrimary) return;
    this.#drag = { x: event.clientX, at: this.#right() };
    this.#place.canvas.setPointerCapture(event.pointerId);
  }

  #moved(event: PointerEvent): void {
    if (this.#drag === undefined) return this.#point(event);
    const by = event.clientX - this.#drag.x;
    if (Math.abs(by) < 3 && this.#held === undefined) return;
    this.#held = Math.min(this.#clock(), this.#drag.at - (by * this.#span) / (this.#width - this.#names()));
    this.#tell();
  }

  /** Zooms with the key that zooms pages, or a pinch; sideways it moves. */
  #wheel(event: WheelEvent): void {
    if (event.ctrlKey || event.metaKey) {
      event.preventDefault();
      this.zoom(event.deltaY > 0 ? 1.15 : 1 / 1.15);
    } else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      event.preventDefault();
      this.move(event.deltaX / this.#width);
    }
  }

  #point(event: PointerEvent): void {
    const { left: edge, top: above } = this.#place.canvas.getBoundingClientRect();
    const y = event.clientY - above + this.#place.scroll.scrollTop;
    const place = this.#rows.at(y);
    const row = this.#rows.rows[place];
    const names = this.#names();
    const at =
      this.#right() - this.#span + ((event.clientX - edge - names) * this.#span) / (this.#width - names);
    if (row === undefined || event.clientX - edge < names) return this.#place.told(row?.id ?? "");
    const { tasks } = this.#source;
    const slack = (2 * this.#span) / this.#width;
    for (const slot of tasks.latest()) {
      const end = tasks.end[slot]!;
      if (end < at - slack) break;
      if (tasks.node[slot] !== row.number || end - tasks.ms[slot]! > at + slack) continue;
      const [from, high] = this.#rows.lane(place, tasks.lane[slot]!);
      if (y < from - 1 || y > from + high + 1) continue;
      const how = tasks.ok[slot] === 1 ? "" : ", failed";
      const what = this.#source.called(tasks.service[slot]!);
      return this.#place.told(`${row.id}: ${what}, ${duration(tasks.ms[slot]!)}${how}`);
    }
    this.#place.told(row.id);
  }
}

function clampSpan(span: number): number {
  return Math.min(MOST_SPAN, Math.max(LEAST_SPAN, span));
}
