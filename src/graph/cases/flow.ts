// How each row of the family is tried.
import type { Cases } from "./case.js";

export const flow: Cases = {
  stopGradient: [
    { inputs: ["T 2,3"], call: (x) => x!.stopGradient(), noGradient: "that is what it is for" },
    { inputs: ["T 3"], call: (x) => x!.stopGradient().mul(2), noGradient: "that is what it is for" },
  ],
};
