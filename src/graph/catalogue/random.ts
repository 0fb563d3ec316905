// Counter-based random numbers: the same bits on every engine and on recomputation.
export {};
