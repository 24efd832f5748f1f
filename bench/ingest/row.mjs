// A row of the result, and how its figures are written. Pure.
import { fixed, whole } from '../support/report.mjs';

/** `most` or `least`: the bound of the goal; `value`: what it is held against. */
export function row({ name, against, most, least, value, digits = 2, unit = '', note }) {
  const goal = most === undefined ? `≥ ${least}${unit}` : `≤ ${most}${unit}`;
  const met = most === undefined ? value >= least : value <= most;
  return { name, against, goal, measured: `${fixed(value, digits)}${unit}`, value, met, note };
}

export const seconds = (value) => `${fixed(value / 1_000, 2)} s`;
export const milliseconds = (value) => `${fixed(value, value < 10 ? 1 : 0)} ms`;
export const millions = (perSecond) => `${fixed(perSecond / 1e6, 2)} M items/s`;
export const thousands = (perSecond) => `${whole(perSecond / 1_000)} k items/s`;
