// Frames of a page for a while, and the work of its own thread past 50 ms.
import type { Page } from "playwright-core";

export interface Frames {
  /** The longest task of the page's own thread past 50 ms, in milliseconds, and how many there were; 0: none. */
  readonly longest: number;
  readonly over: number;
  /** A second. */
  readonly frames: number;
}

// As text: what a compiler adds to functions is not there in the page.
const SCRIPT = `
  (ms) => new Promise((resolve) => {
    let [over, frames, longest] = [0, 0, 0];
    const observer = new PerformanceObserver((list) => {
      for (const { duration } of list.getEntries()) {
        longest = Math.max(longest, duration);
        over++;
      }
    });
    observer.observe({ type: "longtask" });
    const from = performance.now();
    const step = (now) => {
      frames++;
      if (now - from < ms) return requestAnimationFrame(step);
      observer.disconnect();
      resolve({ longest: Math.round(longest), over, frames: (frames * 1000) / (now - from) });
    };
    requestAnimationFrame(step);
  })`;

export function watchFrames(page: Page, ms: number): Promise<Frames> {
  return page.evaluate<Frames>(`(${SCRIPT})(${ms})`);
}
