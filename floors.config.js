// The house: each folder of src/ is a floor and may import the floors named beside it, no other.
// ESLint derives its rule from this table; docs/architecture.md explains it.
export const floors = {
  ids: [],
  tensor: [],
  wire: ["ids", "tensor"],
  graph: ["tensor"],
  engine: ["ids", "tensor", "graph"],
  scheduler: ["ids"],
  backbone: ["ids"],
  hub: ["ids", "wire", "scheduler", "backbone"],
  node: ["ids", "tensor", "wire", "engine", "codec"],
  client: ["ids", "tensor", "wire", "graph"],
  codec: ["tensor"],
  strategy: ["ids", "tensor"],
  flock: ["ids", "tensor", "wire", "graph", "engine", "scheduler", "backbone", "hub", "node", "client", "codec", "strategy"],
  sim: ["ids", "scheduler", "strategy", "codec"],
  cli: ["ids", "tensor", "wire", "graph", "engine", "scheduler", "backbone", "hub", "node", "client", "codec", "strategy", "flock", "sim"],
};

// Floors that a browser loads: no Node built-in, except in files named *.node.ts (and in tests).
export const browserFloors = ["ids", "tensor", "wire", "graph", "engine", "node", "client", "codec", "strategy", "flock", "scheduler"];
