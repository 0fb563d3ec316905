// What both ends of an engine process must agree on.

/** The pipe on which frames go both ways. */
export const PIPE_FD = 3;
