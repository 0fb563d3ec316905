// How each row of the family is tried.
import type { Cases } from "./case.js";

export const loss: Cases = {
  softmaxCrossEntropy: [
    { inputs: ["T 3,4", "int64 3"], call: (x, y) => x!.softmaxCrossEntropy(y!), range: [0, 3] },
    { inputs: ["T 3,4", "T 3,4"], call: (x, y) => x!.softmaxCrossEntropy(y!) },
  ],
};
