/** Milliseconds that the answers in hand have at the end of a process: none takes 250. */
export const endGraceMillis = 500
