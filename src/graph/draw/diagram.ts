// Boxes and arrows as SVG, in layers from top to bottom. It knows no graphs: draw.ts says what the boxes are.

export interface Box {
  /** The first line stands out. */
  readonly lines: readonly string[];
  /** What a pointer that rests on it is told. */
  readonly hint?: string;
  readonly tone: "input" | "operator" | "output" | number;
}

export interface Arrow {
  readonly from: number;
  readonly to: number;
  readonly label?: string;
}

interface Place {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

const LINE = 16;
const LETTER = 6.8;
const GAP = { across: 28, down: 48 };
const MARGIN = 24;
/** Colours of nodes, in turn; dark enough for a dark line round them, light enough for black text. */
const TONES = ["#cfe3ff", "#ffe3c2", "#d3f2d0", "#f4d3ec", "#fdf3b8", "#d6d3f7", "#c9f0ee", "#f9d2d0"];
const NAMED = { input: "#eeeeee", operator: "#ffffff", output: "#dddddd" } as const;

/** A complete SVG document. Arrows go from earlier boxes to later ones. */
export function diagram(title: string, boxes: readonly Box[], arrows: readonly Arrow[]): string {
  const places = arrange(boxes, arrows);
  const width = Math.max(200, ...places.map(({ x, width: w }) => x + w)) + MARGIN;
  const height = Math.max(60, ...places.map(({ y, height: h }) => y + h)) + MARGIN;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" role="img" viewBox="0 0 ${round(width)} ${round(height)}" width="${round(width)}" height="${round(height)}" font-family="ui-monospace, monospace" font-size="11">`,
    `<title>${escape(title)}</title>`,
    `<defs><marker id="end" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto"><path d="M0 0L8 4L0 8z" fill="#666666"/></marker></defs>`,
    `<rect width="100%" height="100%" fill="#ffffff"/>`,
    ...arrows.map((arrow) => drawArrow(arrow, places)),
    ...boxes.map((box, i) => drawBox(box, places[i]!)),
    `</svg>`,
    "",
  ].join("\n");
}

function arrange(boxes: readonly Box[], arrows: readonly Arrow[]): readonly Place[] {
  const layer = boxes.map(() => 0);
  const before = boxes.map((): number[] => []);
  for (const { from, to } of arrows) before[to]!.push(from);
  boxes.forEach((_, i) => {
    for (const from of before[i]!) layer[i] = Math.max(layer[i]!, layer[from]! + 1);
  });
  const sizes = boxes.map(({ lines }) => ({
    width: Math.max(...lines.map((line) => line.length)) * LETTER + 20,
    height: lines.length * LINE + 12,
  }));
  const layers: number[][] = [];
  layer.forEach((at, i) => (layers[at] ??= []).push(i));
  const widths = layers.map((row) => row.reduce((sum, i) => sum + sizes[i]!.width + GAP.across, -GAP.across));
  const widest = Math.max(0, ...widths);
  const places: Place[] = [];
  let y = MARGIN;
  layers.forEach((row, at) => {
    // Each below the middle of what it comes from; those that come from nothing keep their order.
    const wish = new Map(
      row.map((i, k) => [
        i,
        before[i]!.length === 0
          ? (k / row.length) * widest
          : before[i]!.reduce((sum, from) => sum + places[from]!.x + places[from]!.width / 2, 0) /
            before[i]!.length,
      ]),
    );
    let x = MARGIN + (widest - widths[at]!) / 2;
    for (const i of row.toSorted((a, b) => wish.get(a)! - wish.get(b)! || a - b)) {
      places[i] = { x, y, ...sizes[i]! };
      x += sizes[i]!.width + GAP.across;
    }
    y += Math.max(...row.map((i) => sizes[i]!.height)) + GAP.down;
  });
  return places;
}

function drawArrow({ from, to, label }: Arrow, places: readonly Place[]): string {
  const [a, b] = [places[from]!, places[to]!];
  const [x1, y1] = [a.x + a.width / 2, a.y + a.height];
  const [x2, y2] = [b.x + b.width / 2, b.y - 1];
  const bend = Math.max(20, (y2 - y1) / 2);
  const path = `<path d="M${round(x1)} ${round(y1)}C${round(x1)} ${round(y1 + bend)} ${round(x2)} ${round(y2 - bend)} ${round(x2)} ${round(y2)}" fill="none" stroke="#666666" marker-end="url(#end)"/>`;
  if (label === undefined) return path;
  return `${path}<text x="${round((x1 + x2) / 2 + 4)}" y="${round((y1 + y2) / 2)}" fill="#444444">${escape(label)}</text>`;
}

function drawBox({ lines, hint, tone }: Box, { x, y, width, height }: Place): string {
  const fill = typeof tone === "number" ? TONES[tone % TONES.length]! : NAMED[tone];
  const radius = tone === "operator" || typeof tone === "number" ? 4 : height / 2;
  return [
    `<g>`,
    hint === undefined ? "" : `<title>${escape(hint)}</title>`,
    `<rect x="${round(x)}" y="${round(y)}" width="${round(width)}" height="${round(height)}" rx="${round(radius)}" fill="${fill}" stroke="#333333"/>`,
    ...lines.map(
      (line, i) =>
        `<text x="${round(x + width / 2)}" y="${round(y + 6 + LINE * (i + 0.75))}" text-anchor="middle"${i === 0 ? ' font-weight="bold"' : ""}>${escape(line)}</text>`,
    ),
    `</g>`,
  ].join("");
}

function round(value: number): string {
  return String(Math.round(value * 10) / 10);
}

/** Text as XML; control characters, which XML has no way to write, become a question mark. */
function escape(text: string): string {
  return text
    .replace(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g, "?")
    .replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);
}
