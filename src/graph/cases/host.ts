// How each row of host is tried: matrices well-conditioned and with values well apart, so that dtypes and finite differences agree.
import type { Expression } from "../expression.js";
import { tensor } from "../leaf.js";
import type { Cases } from "./case.js";

/** Half of x, and 3, 6, 10 on the diagonal. */
function apart(x: Expression): Expression {
  const [m, n] = x.shape.slice(-2) as [number, number];
  const diagonal = Array.from({ length: m }, (_, i) =>
    Array.from({ length: n }, (_, j) => (i === j ? [3, 6, 10][i]! : 0)),
  );
  return x.mul(0.5).add(tensor(diagonal).cast(x.dtype.startsWith("float") ? x.dtype : "float32"));
}
/** float16 is rounded on the way to float64, so the results differ by more than its own precision. */
const tolerance = 3e-5;

export const host: Cases = {
  inv: [
    { inputs: ["T 3,3"], call: (x) => apart(x!).inv(), tolerance },
    { inputs: ["T 2,2,2"], call: (x) => apart(x!).inv(), tolerance },
  ],
  solve: [
    { inputs: ["T 3,3", "T 3,2"], call: (a, b) => apart(a!).solve(b!), tolerance },
    { inputs: ["T 3,3", "T 3"], call: (a, b) => apart(a!).solve(b!), tolerance },
    { inputs: ["T 2,2,2", "T 2,3"], call: (a, b) => apart(a!).solve(b!), tolerance },
  ],
  det: [
    { inputs: ["T 3,3"], call: (x) => apart(x!).det(), tolerance },
    { inputs: ["T 2,2,2"], call: (x) => apart(x!).det(), tolerance },
  ],
  slogdet: [{ inputs: ["T 3,3"], call: (x) => apart(x!).neg().slogdet(), tolerance }],
  cholesky: [
    { inputs: ["T 3,3"], call: (x) => apart(x!).cholesky(), tolerance },
    { inputs: ["T 2,2,2"], call: (x) => apart(x!).cholesky(), tolerance },
  ],
  qr: [
    { inputs: ["T 4,3"], call: (x) => apart(x!).qr(), tolerance },
    { inputs: ["T 2,3,3"], call: (x) => apart(x!).qr(), tolerance },
    { inputs: ["T 2,3"], call: (x) => apart(x!).qr(), tolerance, noGradient: "wider than tall" },
  ],
  svd: [
    { inputs: ["T 4,3"], call: (x) => apart(x!).svd(), tolerance },
    { inputs: ["T 2,2,3"], call: (x) => apart(x!).svd(), tolerance },
  ],
  eigh: [
    { inputs: ["T 3,3"], call: (x) => apart(x!).eigh(), tolerance },
    { inputs: ["T 2,2,2"], call: (x) => apart(x!).eigh(), tolerance },
  ],
  pinv: [
    { inputs: ["T 4,3"], call: (x) => apart(x!).pinv(), tolerance },
    { inputs: ["T 2,2,3"], call: (x) => apart(x!).pinv(), tolerance },
  ],
  lstsq: [
    { inputs: ["T 4,3", "T 4"], call: (a, b) => apart(a!).lstsq(b!), tolerance },
    { inputs: ["T 2,3", "T 2,2"], call: (a, b) => apart(a!).lstsq(b!), tolerance },
  ],
};
