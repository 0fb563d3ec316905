// Statistics over axes: variance, percentiles, histograms; compositions of reductions and sorting.
export {};
