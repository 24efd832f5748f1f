// The most memory the loading process has at one, ten and fifty million items in one body.
import { row, seconds } from './row.mjs';

const sizes = [1_000_000, 10_000_000, 50_000_000];
const flatness = 1.15;

export async function measureMemory({ file, scaled, load, withMemory, progress }) {
  const found = [];
  for (const size of sizes) {
    const items = scaled(size);
    const each = await file({ items });
    progress.show(`memory: ${items} items…`);
    const { visible, peak } = await withMemory(() => load(each));
    found.push({ items, visible, peak });
  }
  const peaks = found.map(({ peak }) => peak);
  const list = found.map(
    ({ items, visible, peak }) =>
      `${items.toLocaleString('en-US')}: ${Math.round(peak)} MB in ${seconds(visible)}`,
  );
  return [
    row({
      name: 'resident memory of the loading process, at most',
      against: list.join('; '),
      most: 300,
      value: Math.max(...peaks),
      digits: 0,
      unit: ' MB',
    }),
    row({
      name: 'the same at the largest size',
      against: 'the middle one',
      most: flatness,
      value: peaks[2] / peaks[1],
    }),
  ];
}
