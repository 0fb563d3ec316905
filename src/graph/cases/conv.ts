// How each row of conv is tried.
import type { ConvOptions } from "../catalogue/conv.js";
import type { Expression } from "../expression.js";
import { gradients } from "../gradient.js";
import type { Case, Cases } from "./case.js";

const of = (x: string, w: string, options: ConvOptions = {}): Case => ({
  inputs: [`T ${x}`, `T ${w}`],
  call: (a, b) => a!.conv(b!, options),
});

/** The gradients, so that engines run them too, and finite differences judge the second derivatives. */
const derived = (y: Expression, ...by: Expression[]): Expression[] => gradients(y.mul(y).mean(), by);

export const conv: Cases = {
  conv: [
    of("2,3,5,6", "4,3,3,3"),
    of("2,3,5,6", "4,3,3,2", { padding: "same" }),
    of("1,2,7,8", "3,2,3,3", { stride: 2, padding: 1 }),
    of("1,2,8,7", "3,2,3,2", { stride: [3, 2], padding: [[0, 1], 2], dilation: [1, 2] }),
    of("2,4,5,5", "6,2,3,3", { groups: 2, stride: 2, padding: "same" }),
    of("2,3,6", "3,1,3", { groups: 3, dilation: 2 }),
    of("1,2,4,4,5", "2,2,2,3,2", { stride: [1, 1, 2] }),
    {
      inputs: ["T 2,3,5,5", "T 4,3,2,2", "T 4"],
      call: (x, w, bias) => x!.conv2d(w!, { bias: bias!, stride: 2 }),
    },
    {
      inputs: ["T 2,2,5,6", "T 3,2,3,2", "T 3"],
      call: (x, w, b) =>
        derived(x!.conv(w!, { bias: b!, stride: [2, 1], padding: "same", dilation: [1, 2] }), x!, w!, b!),
    },
    {
      inputs: ["T 2,4,6", "T 2,2,2"],
      call: (x, w) => derived(x!.conv(w!, { stride: 3, groups: 2 }), x!, w!),
    },
    { inputs: ["T 2,4,3", "T 2,4,1"], call: (x, w) => derived(x!.conv(w!), x!, w!) },
  ],
  convTranspose: [
    { inputs: ["T 2,3,4,5", "T 3,4,3,3"], call: (x, w) => x!.convTranspose(w!, { padding: 1 }) },
    {
      inputs: ["T 2,4,3,4", "T 4,3,3,2", "T 6"],
      call: (x, w, bias) =>
        x!.convTranspose(w!, {
          bias: bias!,
          stride: [2, 3],
          outputPadding: [1, 0],
          groups: 2,
          padding: [1, 0],
        }),
    },
    { inputs: ["T 1,2,5", "T 2,2,3"], call: (x, w) => x!.convTranspose(w!, { dilation: 2, stride: 2 }) },
    {
      inputs: ["T 2,4,3", "T 4,1,3"],
      call: (x, w) =>
        derived(x!.convTranspose(w!, { stride: 2, groups: 2, padding: 1, outputPadding: 1 }), x!, w!),
    },
  ],
};
