// How each row of the family is tried.
import * as rows from "../catalogue/nn.js";
import { unaryCases, type Case, type Cases } from "./case.js";

/** Settings other than the defaults, and inputs on both sides of every kink. */
const WIDE = [-4, 4] as const;
const alongAxes = (f: typeof rows.softmax): Case[] => [
  { inputs: ["T 3,4"], call: (x) => f(x!) },
  { inputs: ["T 2,3,4"], call: (x) => f(x!, 1) },
];

export const nn: Cases = {
  relu: unaryCases(rows.relu),
  sigmoid: unaryCases(rows.sigmoid),
  leakyRelu: [...unaryCases(rows.leakyRelu), { inputs: ["T 3"], call: (x) => x!.leakyRelu({ alpha: 0.2 }) }],
  elu: [...unaryCases(rows.elu), { inputs: ["T 3"], call: (x) => x!.elu({ alpha: 0.5 }) }],
  selu: unaryCases(rows.selu),
  celu: [...unaryCases(rows.celu), { inputs: ["T 3"], call: (x) => x!.celu({ alpha: 2 }) }],
  softplus: unaryCases(rows.softplus, WIDE),
  softsign: unaryCases(rows.softsign),
  hardSigmoid: [
    ...unaryCases(rows.hardSigmoid, WIDE),
    { inputs: ["T 3,4"], call: (x) => x!.hardSigmoid({ alpha: 0.2, beta: 0.4 }), range: WIDE },
  ],
  hardSwish: unaryCases(rows.hardSwish, WIDE),
  thresholdedRelu: unaryCases(rows.thresholdedRelu),
  mish: unaryCases(rows.mish, WIDE),
  gelu: [...unaryCases(rows.gelu, WIDE), ...unaryCases((x) => rows.gelu(x, { approximate: "tanh" }), WIDE)],
  embedding: [
    { inputs: ["T 5,3", "int64 2,4"], call: (table, at) => table!.embedding(at!), range: [0, 4] },
    { inputs: ["T 5,3", "int32 6"], call: (table, at) => table!.embedding(at!), range: [0, 4] },
  ],
  prelu: [
    { inputs: ["T 2,3,4", "T 3,1"], call: (x, slope) => x!.prelu(slope!) },
    { inputs: ["T 3,4", "T"], call: (x, slope) => x!.prelu(slope!) },
  ],
  silu: unaryCases(rows.silu),
  relu6: unaryCases(rows.relu6, [-1, 8]),
  logSigmoid: unaryCases(rows.logSigmoid, WIDE),
  tanhShrink: unaryCases(rows.tanhShrink),
  hardTanh: [...unaryCases(rows.hardTanh), { inputs: ["T 3,4"], call: (x) => x!.hardTanh(-0.5, 1.5) }],
  hardShrink: unaryCases(rows.hardShrink),
  softShrink: unaryCases(rows.softShrink),
  glu: [
    { inputs: ["T 3,4"], call: (x) => x!.glu() },
    { inputs: ["T 2,6,3"], call: (x) => x!.glu(1) },
  ],
  linear: [
    { inputs: ["T 3,4", "T 4,2", "T 2"], call: (x, w, b) => x!.linear(w!, b!) },
    { inputs: ["T 2,3,4", "T 4,2"], call: (x, w) => x!.linear(w!) },
  ],
  softmin: alongAxes(rows.softmin),
  softmax: alongAxes(rows.softmax),
  logSoftmax: alongAxes(rows.logSoftmax),
};
