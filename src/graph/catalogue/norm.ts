// Normalisations, each a composition.
export {};
