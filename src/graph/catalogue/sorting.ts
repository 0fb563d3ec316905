// Order: sort, argsort, topk, argmax; and rows whose length depends on the data (unique, nonzero).
export {};
