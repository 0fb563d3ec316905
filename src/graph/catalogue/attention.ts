// Attention and embeddings, compositions of matrix products.
export {};
