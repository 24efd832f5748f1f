// Ten million items and fifty thousand over HTTP, beside COPY into a table without and with an index; bytes written.
import { median, medianRatio } from '../support/statistics.mjs';
import { row, seconds, milliseconds } from './row.mjs';

/** Small batches in a round: the median is taken over all of them. */
const smallEach = 5;

export async function measureBulk(bench) {
  const { file, scaled, settings, load, copy, database, progress } = bench;
  const large = await file({ items: scaled(10_000_000) });
  const small = await file({ items: scaled(50_000), seed: 2 });
  const figures = { visible: [], plain: [], indexed: [], small: [], smallIndexed: [], wal: [], table: [] };
  await load(small);
  for (let round = 0; round < settings.rounds; round++) {
    const show = (what) => progress.show(`bulk, round ${round + 1} of ${settings.rounds}: ${what}…`);
    const steps = [
      async () => {
        show('COPY without an index');
        await database.empty('plain');
        figures.plain.push(await copy('plain', large));
      },
      async () => {
        show('over HTTP');
        const { visible, walPerItem, bytesPerItem } = await load(large);
        figures.visible.push(visible);
        figures.wal.push(walPerItem);
        figures.table.push(bytesPerItem);
      },
    ];
    for (const step of round % 2 === 0 ? steps : steps.toReversed()) await step();
    show('filling the table with an index');
    await database.fillIndexed(() => copy('indexed', large));
    for (let index = 0; index < smallEach; index++) {
      show('small batches');
      figures.smallIndexed.push(await copy('indexed', small));
      figures.small.push((await load(small)).verdict);
    }
    show('COPY with an index');
    figures.indexed.push(await copy('indexed', large));
  }
  return report(figures, { large: large.items, small: small.items });
}

function report(figures, items) {
  const { visible, plain, indexed, small, smallIndexed, wal, table } = figures;
  const [http, without, within] = [visible, plain, indexed].map((values) => seconds(median(values)));
  const smalls = [small, smallIndexed].map((values) => milliseconds(median(values)));
  const [large, few] = [items.large, items.small].map((count) => count.toLocaleString('en-US'));
  return [
    row({
      name: `${large} CSV over HTTP, first byte to visible: ${http}`,
      against: `COPY, no index: ${without}`,
      most: 1,
      value: medianRatio(visible, plain),
    }),
    row({
      name: 'the same',
      against: `COPY, ${large} there with an index: ${within}`,
      most: 0.1,
      value: medianRatio(visible, indexed),
    }),
    row({
      name: `${few} CSV over HTTP, to the verdict: ${smalls[0]}`,
      against: `COPY, the same index: ${smalls[1]}`,
      most: 0.6,
      value: medianRatio(small, smallIndexed),
    }),
    ...[
      ['WAL', wal],
      ['table and index', table],
    ].map(([what, values]) =>
      row({
        name: `${what}, bytes per item at ${large}`,
        against: '',
        most: 12,
        value: median(values),
        digits: 1,
      }),
    ),
  ];
}
