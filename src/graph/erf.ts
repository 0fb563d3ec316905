// The error function in float64, for the interpreter; JavaScript has none.

/** 2 / sqrt(pi): its slope at 0. */
export const ERF_SLOPE = 1.1283791670955126;

/** By Kummer's series, whose terms are all positive, and a continued fraction for the tail (Abramowitz and Stegun 7.1.6, 7.1.14). */
export function erf(x: number): number {
  const a = Math.abs(x);
  if (a < 3) {
    let term = x;
    let sum = x;
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= (2 * x * x) / (2 * n + 1);
      sum += term;
    }
    return ERF_SLOPE * Math.exp(-x * x) * sum;
  }
  if (!(a < 6)) return Number.isNaN(x) ? x : Math.sign(x);
  let tail = a;
  for (let k = 60; k >= 1; k--) tail = a + k / 2 / tail;
  return Math.sign(x) * (1 - Math.exp(-a * a) / (tail * Math.sqrt(Math.PI)));
}
