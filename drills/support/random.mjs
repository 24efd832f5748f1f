// Chance that can be had again: the same seed, the same choices.

/** @param {number} seed */
export function randomFrom(seed) {
  let state = seed >>> 0;
  // Source: mulberry32, Tommy Ettinger, public domain.
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** At least 0, below 1. */
    next,
    /** A whole number, both bounds included. */
    whole: (/** @type {number} */ least, /** @type {number} */ most) =>
      least + Math.floor(next() * (most - least + 1)),
    /** @type {<T>(list: readonly T[]) => T} */
    of: (list) => list[Math.floor(next() * list.length)],
    chance: (/** @type {number} */ share) => next() < share,
  };
}
