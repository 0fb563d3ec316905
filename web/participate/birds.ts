// The flock behind the first words: each bird steers by its neighbours (Reynolds, 1987). Tasks that end give it a flutter.
import { colour } from "../parts/theme.js";

const NEAR = 64;
const CLOSE = 20;
const FRAME_MS = 32;

interface Bird {
  x: number;
  y: number;
  vx: number;
  vy: number;
  beat: number;
  hue: number;
  glow: number;
}

export class Birds {
  readonly #canvas: HTMLCanvasElement;
  readonly #context: CanvasRenderingContext2D;
  #birds: Bird[] = [];
  #hues: string[] = [];
  #width = 0;
  #height = 0;
  #frame = 0;
  #last = 0;
  #lively = 0.35;
  readonly #still = matchMedia("(prefers-reduced-motion: reduce)");
  readonly #resize: ResizeObserver;

  constructor(canvas: HTMLCanvasElement) {
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d")!;
    this.#paint();
    addEventListener("themechange", this.#paint);
    this.#resize = new ResizeObserver(() => this.#fit());
    this.#resize.observe(canvas);
    this.#fit();
    this.#frame = requestAnimationFrame(this.#step);
  }

  /** How awake it is, from 0 to 1. */
  set lively(value: number) {
    this.#lively = value;
  }

  /** Some of it lights up. */
  flutter(tasks: number): void {
    for (let i = 0; i < Math.min(tasks, 12); i++) {
      const bird = this.#birds[Math.floor(Math.random() * this.#birds.length)];
      if (bird !== undefined) bird.glow = 1;
    }
  }

  end(): void {
    cancelAnimationFrame(this.#frame);
    removeEventListener("themechange", this.#paint);
    this.#resize.disconnect();
  }

  readonly #paint = () => {
    this.#hues = [colour("accent"), colour("hue-2"), colour("warm"), colour("hue-6")];
  };

  #fit(): void {
    const { clientWidth, clientHeight } = this.#canvas;
    const scale = Math.min(2, devicePixelRatio);
    this.#width = clientWidth;
    this.#height = clientHeight;
    this.#canvas.width = clientWidth * scale;
    this.#canvas.height = clientHeight * scale;
    this.#context.setTransform(scale, 0, 0, scale, 0, 0);
    const wanted = Math.round(Math.min(80, 22 + clientWidth / 18));
    while (this.#birds.length < wanted) this.#birds.push(this.#hatch());
    this.#birds.length = wanted;
    if (this.#still.matches) {
      for (let i = 0; i < 120; i++) this.#move(1);
      this.#draw();
    }
  }

  #hatch(): Bird {
    const angle = -0.5 + Math.random();
    return {
      x: this.#width * (0.35 + 0.65 * Math.random()),
      y: this.#height * Math.random(),
      vx: Math.cos(angle),
      vy: Math.sin(angle),
      beat: Math.random() * 6,
      hue: Math.random() < 0.68 ? 0 : 1 + Math.floor(Math.random() * 3),
      glow: 0,
    };
  }

  readonly #step = (now: number) => {
    this.#frame = requestAnimationFrame(this.#step);
    if (this.#still.matches || document.hidden || now - this.#last < FRAME_MS) return;
    const frames = Math.min(3, (now - this.#last) / 33);
    this.#last = now;
    this.#move(frames);
    this.#draw();
  };

  #move(frames: number): void {
    const speed = 0.5 + 1.5 * this.#lively;
    // They would rather fly where there is no text.
    const homeX = this.#width * (this.#width > 700 ? 0.74 : 0.5);
    const homeY = this.#height * (this.#width > 700 ? 0.5 : 0.86);
    for (const bird of this.#birds) {
      let [ax, ay, n, cx, cy, sx, sy] = [0, 0, 0, 0, 0, 0, 0];
      for (const other of this.#birds) {
        if (other === bird) continue;
        const [dx, dy] = [other.x - bird.x, other.y - bird.y];
        const d2 = dx * dx + dy * dy;
        if (d2 > NEAR * NEAR) continue;
        n++;
        ax += other.vx;
        ay += other.vy;
        cx += dx;
        cy += dy;
        if (d2 < CLOSE * CLOSE) {
          sx -= dx / (d2 + 1);
          sy -= dy / (d2 + 1);
        }
      }
      if (n > 0) {
        bird.vx += 0.05 * (ax / n - bird.vx) + 0.0009 * (cx / n) + 0.55 * sx;
        bird.vy += 0.05 * (ay / n - bird.vy) + 0.0009 * (cy / n) + 0.55 * sy;
      }
      const [hx, hy] = [(homeX - bird.x) / this.#width, (homeY - bird.y) / this.#height];
      // The farther away, the more it wants back.
      const want = 0.06 + 0.9 * (hx * hx + hy * hy);
      bird.vx += want * hx + 0.02 * hy + 0.03 * (Math.random() - 0.5);
      bird.vy += want * hy - 0.03 * hx + 0.03 * (Math.random() - 0.5);
      const norm = Math.hypot(bird.vx, bird.vy) || 1;
      bird.vx /= norm;
      bird.vy /= norm;
      bird.x += bird.vx * speed * frames;
      bird.y += bird.vy * speed * frames;
      bird.beat += (0.16 + 0.22 * this.#lively + 0.25 * bird.glow) * frames;
      bird.glow = Math.max(0, bird.glow - 0.022 * frames);
    }
  }

  #draw(): void {
    const context = this.#context;
    context.clearRect(0, 0, this.#width, this.#height);
    context.lineCap = "round";
    context.lineJoin = "round";
    for (const bird of this.#birds) {
      const size = 6.5 + 4 * bird.glow;
      const lift = Math.sin(bird.beat) * 0.55;
      const tilt = Math.atan2(bird.vy, Math.abs(bird.vx)) * 0.35;
      context.save();
      context.translate(bird.x, bird.y);
      context.rotate(bird.vx < 0 ? -tilt : tilt);
      context.strokeStyle = this.#hues[bird.glow > 0.05 ? 2 : bird.hue]!;
      context.globalAlpha = 0.55 + 0.45 * Math.max(bird.glow, this.#lively);
      context.lineWidth = 1.7 + bird.glow;
      context.beginPath();
      context.moveTo(-size, -size * (0.25 + lift) + 2);
      context.quadraticCurveTo(-size * 0.4, -size * 0.55, 0, 1.5);
      context.quadraticCurveTo(size * 0.4, -size * 0.55, size, -size * (0.25 + lift) + 2);
      context.stroke();
      context.restore();
    }
  }
}
