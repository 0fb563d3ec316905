// The clock below a timeline, and the lines above it.
export interface Axis {
  /** The time at the left edge, and how much of it is in sight: milliseconds, the first since `epoch`. */
  readonly left: number;
  readonly span: number;
  readonly epoch: number;
  /** Pixels a millisecond; where time begins, beside the names; where it ends below, and on the right. */
  readonly scale: number;
  readonly names: number;
  readonly bottom: number;
  readonly width: number;
}

const STEPS = [20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000, 120_000, 300_000];
const LEAST_PIXELS = 84;

export function drawAxis(context: CanvasRenderingContext2D, axis: Axis, line: string, ink: string): void {
  const { left, span, scale, names, bottom, width, epoch } = axis;
  const step = STEPS.find((ms) => ms * scale > LEAST_PIXELS);
  if (step === undefined) return;
  const digits = step < 100 ? 2 : step < 1000 ? 1 : 0;
  context.strokeStyle = line;
  context.fillStyle = ink;
  context.font = '11px "Figtree Variable", sans-serif';
  context.textBaseline = "alphabetic";
  context.beginPath();
  for (let at = Math.ceil((epoch + left) / step) * step - epoch; at < left + span; at += step) {
    const x = Math.round(names + (at - left) * scale) + 0.5;
    context.moveTo(x, 0);
    context.lineTo(x, bottom);
    if (x < width - 50) context.fillText(clock(new Date(epoch + at), digits), x + 3, bottom + 14);
  }
  context.stroke();
}

function clock(date: Date, digits: number): string {
  const part = String(date.getMilliseconds()).padStart(3, "0").slice(0, digits);
  return date.toTimeString().slice(0, 8) + (digits > 0 ? `.${part}` : "");
}
