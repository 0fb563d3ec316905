// Einstein sums and the products that are written with them.
export {};
