// Pooling over windows.
export {};
