// Convolutions and transposed convolutions; their gradients are convolutions too.
export {};
