export function median(values: readonly number[]): number;
export function rotate<Value>(values: readonly Value[], round: number): Value[];
export function medianRatio(values: readonly number[], others: readonly number[]): number;
export function randomNumbers(seed: number): () => number;
export function shuffle<Value>(values: Value[], random: () => number): Value[];
export function slices<Value>(values: readonly Value[], count: number, longest: number): Value[][];
export class Histogram {
  total: number;
  add(milliseconds: number): void;
  quantile(share: number): number;
}
