// A million items as NDJSON and as CSV under gzip, beside plain CSV.
import { median, medianRatio } from '../support/statistics.mjs';
import { millions, row } from './row.mjs';

export async function measureFormats({ file, scaled, settings, load, progress }) {
  const items = scaled(1_000_000);
  const kinds = {
    csv: await file({ items }),
    ndjson: await file({ items, format: 'ndjson' }),
    gzip: await file({ items, gzip: true }),
  };
  const rates = { csv: [], ndjson: [], gzip: [] };
  // The first load of a format finds a thread that has compiled nothing of it yet.
  for (const each of Object.values(kinds)) await load(each);
  for (let round = 0; round < settings.rounds; round++) {
    for (const [kind, each] of Object.entries(kinds)) {
      progress.show(`formats, round ${round + 1} of ${settings.rounds}: ${kind}…`);
      rates[kind].push((items / (await load(each)).verdict) * 1_000);
    }
  }
  const against = `CSV: ${millions(median(rates.csv))}`;
  const one = (name, kind, least) =>
    row({
      name: `${items.toLocaleString('en-US')} ${name}: ${millions(median(rates[kind]))}`,
      against,
      least,
      value: medianRatio(rates[kind], rates.csv),
    });
  return [one('NDJSON', 'ndjson', 0.3), one('CSV under gzip', 'gzip', 0.6)];
}
