// How each row of norm is tried.
import type { Cases } from "./case.js";

export const norm: Cases = {
  layerNorm: [
    { inputs: ["T 3,4"], call: (x) => x!.layerNorm() },
    {
      inputs: ["T 2,3,4", "T 4", "T 4"],
      call: (x, scale, bias) => x!.layerNorm({ scale: scale!, bias: bias! }),
    },
    {
      inputs: ["T 2,3,4", "T 3,4"],
      call: (x, scale) => x!.layerNorm({ scale: scale!, axis: 1, epsilon: 0.1 }),
    },
    { inputs: ["T 3,4", "T 4"], call: (x, bias) => x!.layerNorm({ bias: bias! }) },
  ],
  instanceNorm: [
    { inputs: ["T 2,3,4"], call: (x) => x!.instanceNorm() },
    {
      inputs: ["T 2,3,2,4", "T 3", "T 3"],
      call: (x, scale, bias) => x!.instanceNorm({ scale: scale!, bias: bias!, epsilon: 1e-3 }),
    },
  ],
  groupNorm: [
    {
      inputs: ["T 2,4,3", "T 4", "T 4"],
      call: (x, scale, bias) => x!.groupNorm(2, { scale: scale!, bias: bias! }),
    },
    { inputs: ["T 2,6,2,2"], call: (x) => x!.groupNorm(3) },
  ],
  batchNormInference: [
    {
      inputs: ["T 2,3,4", "T 3", "T 3", "T 3", "T 3"],
      call: (x, scale, bias, mean, variance) => x!.batchNormInference(scale!, bias!, mean!, variance!, 1e-3),
      range: [0.5, 2],
    },
    {
      inputs: ["T 4,3", "T 3", "T 3", "T 3", "T 3"],
      call: (x, scale, bias, mean, variance) => x!.batchNormInference(scale!, bias!, mean!, variance!),
      range: [0.5, 2],
    },
  ],
  channelMoments: [
    { inputs: ["T 3,4"], call: (x) => x!.channelMoments() },
    { inputs: ["T 2,3,2,4"], call: (x) => x!.channelMoments(-1) },
  ],
  batchNorm: [
    {
      inputs: ["T 5,3", "T 3", "T 3"],
      call: (x, scale, bias) => x!.batchNorm({ scale: scale!, bias: bias! }),
    },
    { inputs: ["T 2,3,2,4"], call: (x) => x!.batchNorm({ epsilon: 1e-2 }) },
    { inputs: ["T 2,3,4", "T 4"], call: (x, scale) => x!.batchNorm({ scale: scale!, axis: -1 }) },
  ],
  rmsNorm: [
    { inputs: ["T 3,4"], call: (x) => x!.rmsNorm() },
    { inputs: ["T 2,3,4", "T 3,4"], call: (x, scale) => x!.rmsNorm({ scale: scale!, axis: 1 }) },
  ],
  l2Normalize: [
    { inputs: ["T 3,4"], call: (x) => x!.l2Normalize() },
    { inputs: ["T 2,3,4"], call: (x) => x!.l2Normalize([0, 1]) },
  ],
};
