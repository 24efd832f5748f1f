/** Fewer items than this behind a day: no figure of it but their count. The original service's rule; it also keeps one supplier's price from another. */
export const fewestItems = 3;
