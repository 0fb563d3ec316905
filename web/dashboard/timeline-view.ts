// Draws the timeline on its canvas: only the rows and the seconds in sight, and of what lies on one pixel only the first.
import { duration } from "../parts/numbers.js";
import { colour } from "../parts/theme.js";
import { MOST_LANES } from "./lanes.js";
import { drawAxis } from "./timeline-axis.js";
import type { TimelineRow, TimelineSource } from "./timeline-source.js";

export interface TimelinePlace {
  /** What scrolls, the canvas in it that stays, and what gives it its height. */
  readonly scroll: HTMLElement;
  readonly canvas: HTMLCanvasElement;
  readonly spacer: HTMLElement;
  changed(shown: { span: number; paused: boolean }): void;
  /** About the task under the pointer. */
  told(text: string): void;
}

const LEAST_SPAN = 500;
const MOST_SPAN = 600_000;
const NAMES = 132;
const FRAME_MS = 33;
const MOST_HEIGHT = 480;
const HUES = 8;
/** Above and below what is in a row. */
const MARGIN = 6;
/** A lane is so high at least, where no more than so many rows are shown. */
const LEAST_LANE = 7;
const MOST_TALL = 40;

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
  #rows: readonly TimelineRow[] = [];
  #lanes = 1;
  #version = -1;
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
    const same = this.#drawn === this.#held && this.#source.version === this.#version;
    if (this.#held !== undefined && same) return;
    this.#last = now;
    this.#draw();
    this.#drawn = this.#held ?? -1;
  };

  #rowHeight(): number {
    const n = this.#rows.length;
    const lanes = this.#lanes > 1 ? MARGIN + this.#lanes * LEAST_LANE : 0;
    return Math.max(lanes, n <= 12 ? 26 : n <= 40 ? 16 : 10);
  }

  /** A row is as high as the most lanes that one of them has, where there are not too many of them. */
  #order(): void {
    if (this.#source.version === this.#version) return;
    this.#version = this.#source.version;
    this.#rows = this.#source.rows();
    const { lanes } = this.#source.tasks;
    this.#lanes =
      this.#rows.length > MOST_TALL ? 1 : Math.max(1, ...this.#rows.map(({ number }) => lanes.of(number)));
  }

  /** Where a lane of a row lies: from its top, and how high. */
  #lane(row: number, lane: number): [top: number, height: number] {
    const height = this.#rowHeight();
    const margin = height > 12 ? MARGIN : 2;
    const lanes = this.#source.tasks.lanes.of(this.#rows[row]!.number);
    const each = (height - margin) / Math.max(lanes, lane + 1);
    return [row * height + margin / 2 + lane * each, Math.max(1, each - (lanes > 1 && each > 4 ? 1 : 0))];
  }

  #fit(): void {
    const { scroll, canvas, spacer } = this.#place;
    const rows = Math.max(1, this.#rows.length) * this.#rowHeight() + 22;
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
    this.#order();
    this.#fit();
    const context = this.#context;
    const { hues, bad, soft, line, card } = this.#colours;
    const height = this.#rowHeight();
    const names = this.#names();
    const top = this.#place.scroll.scrollTop;
    const first = Math.floor(top / height);
    const last = Math.min(this.#rows.length - 1, Math.ceil((top + this.#height) / height));
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
    const places = new Map<number, number>();
    for (let i = first; i <= last; i++) places.set(this.#rows[i]!.number, i);
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
      const [y, bar] = this.#lane(row, lane);
      context.fillStyle = tasks.ok[slot] === 1 ? hues[tasks.service[slot]! % HUES]! : bad;
      context.fillRect(x0, y - top, Math.max(1, x1 - x0 - (x1 - x0 > 4 ? 1 : 0)), bar);
    }
    this.#running(places, left, names, scale, top);
    context.fillStyle = card;
    context.fillRect(0, 0, names - 6, bottom);
    context.fillStyle = soft;
    context.font = `${height > 12 ? 12 : 9}px "Figtree Variable", sans-serif`;
    context.textBaseline = "middle";
    for (let i = first; i <= last; i++)
      context.fillText(this.#rows[i]!.id, 8, i * height - top + height / 2, names - 16);
    context.restore();
    context.strokeStyle = line;
    context.beginPath();
    context.moveTo(names - 6, 0);
    context.lineTo(names - 6, bottom);
    context.stroke();
  }

  /** What has not ended yet, up to now. */
  #running(
    places: ReadonlyMap<number, number>,
    left: number,
    names: number,
    scale: number,
    top: number,
  ): void {
    const right = left + this.#span;
    const now = Math.min(right, this.#clock());
    const context = this.#context;
    context.globalAlpha = 0.55;
    for (const { row, lane, hue, since } of this.#source.running()) {
      const place = places.get(row);
      if (place === undefined || since > right) continue;
      const x0 = Math.max(names, names + (since - left) * scale);
      const [y, bar] = this.#lane(place, lane);
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
    const place = Math.floor(y / this.#rowHeight());
    const row = this.#rows[place];
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
      const [from, high] = this.#lane(place, tasks.lane[slot]!);
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
