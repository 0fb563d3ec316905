// How each row of attention is tried.
import * as rows from "../catalogue/attention.js";
import type { Cases } from "./case.js";

const tolerance = 3e-5;

export const attention: Cases = {
  attention: [
    { inputs: ["T 3,4", "T 5,4", "T 5,2"], call: (q, k, v) => q!.attention(k!, v!) },
    {
      inputs: ["T 2,3,4", "T 2,5,4", "T 2,5,2"],
      call: (q, k, v) => q!.attention(k!, v!, { causal: true, scale: 0.3 }),
    },
    {
      inputs: ["T 2,1,3,4", "T 2,5,4", "T 5,2", "T 3,5"],
      call: (q, k, v, mask) => q!.attention(k!, v!, { mask: mask! }),
      tolerance,
    },
    {
      inputs: ["T 2,3,4", "T 2,3,4", "T 2,3,4", "bool 3,3"],
      call: (q, k, v, mask) => q!.attention(k!, v!, { mask: mask! }),
    },
  ],
  multiHeadAttention: [
    { inputs: ["T 3,4", "T 5,4", "T 5,6"], call: (q, k, v) => q!.multiHeadAttention(k!, v!, 2) },
    {
      inputs: ["T 2,3,8", "T 2,3,4", "T 2,3,4", "bool 2,3,3"],
      call: (q, k, v, mask) => q!.multiHeadAttention(k!, v!, 4, { keyHeads: 2, mask: mask!, causal: true }),
    },
  ],
  rotary: [
    { inputs: ["T 3,4"], call: (x) => x!.rotary() },
    {
      inputs: ["T 2,3,4", "int64 2,3"],
      call: (x, positions) => x!.rotary({ positions: positions!, base: 100 }),
      range: [0, 4],
      tolerance,
    },
  ],
  sinusoidalPositions: [
    { inputs: ["T 3,4"], call: (x) => x!.add(rows.sinusoidalPositions(3, 4).cast(x!.dtype)) },
  ],
};
