// What publishing and withdrawing cost by themselves: batches in parts, all of whose parts are there, published by one request.
import { median, medianRatio } from '../support/statistics.mjs';
import { piecesOf } from './files.mjs';
import { milliseconds, row } from './row.mjs';
import { checkBatch } from './setting.mjs';

const sizes = [50_000, 1_000_000, 10_000_000];
export const pieceBytes = 60 << 20;
const streams = 4;

export async function measurePublish({ file, scaled, settings, service, database, tell, progress }) {
  const figures = sizes.map((size) => ({ items: scaled(size), publish: [], withdraw: [] }));
  const timed = async (request) => {
    await database.settle(service.url);
    return tell({ kind: 'ask', ...request });
  };
  for (let round = 0; round < settings.rounds; round++) {
    for (const { items, publish, withdraw } of figures) {
      progress.show(`publish, round ${round + 1} of ${settings.rounds}: ${items} items…`);
      const pieces = await piecesOf(await file({ items }), pieceBytes);
      const { batch, parts } = await tell({ kind: 'parts', pieces, streams });
      const url = `${service.url}/batches/${batch}`;
      const published = await timed({ method: 'POST', url: `${url}/publish`, json: { parts, items } });
      await checkBatch(database, batch, items);
      const withdrawn = await timed({ method: 'DELETE', url });
      if (published.json.state !== 'published' || withdrawn.json.state !== 'withdrawn')
        throw new Error(`batch ${batch} is ${published.json.state}, then ${withdrawn.json.state}`);
      publish.push(published.milliseconds);
      withdraw.push(withdrawn.milliseconds);
    }
  }
  const [first, last] = [figures[0], figures[figures.length - 1]];
  return ['publish', 'withdraw'].map((what) =>
    row({
      name: `${what} of ${figures.map(({ items }) => items.toLocaleString('en-US')).join(' / ')}: ${figures.map((each) => milliseconds(median(each[what]))).join(' / ')}`,
      against: 'the largest beside the smallest',
      most: 2,
      value: medianRatio(last[what], first[what]),
      note: 'the request that publishes a batch whose parts are all there, or withdraws it, by itself',
    }),
  );
}
