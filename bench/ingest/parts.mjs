// Fifty million items as a batch in parts over four streams, over one, and as one body.
import { median, medianRatio } from '../support/statistics.mjs';
import { piecesOf } from './files.mjs';
import { pieceBytes } from './publish.mjs';
import { row, seconds } from './row.mjs';
import { checkBatch } from './setting.mjs';

export async function measureParts({
  file,
  scaled,
  settings,
  service,
  database,
  tell,
  withMemory,
  progress,
}) {
  const items = scaled(50_000_000);
  const large = await file({ items });
  const pieces = await piecesOf(large, pieceBytes);
  const inParts = (streams) => async () => {
    const { batch, parts, milliseconds } = await tell({ kind: 'parts', pieces, streams });
    const url = `${service.url}/batches/${batch}/publish`;
    const published = await tell({ kind: 'ask', method: 'POST', url, json: { parts, items } });
    return { batch, milliseconds: milliseconds + published.milliseconds };
  };
  const whole = async () => {
    const { verdict, batch } = await tell({ kind: 'send', file: large });
    return { batch: batch.id, milliseconds: verdict };
  };
  const ways = { four: inParts(4), one: inParts(1), whole };
  const figures = { four: [], one: [], whole: [] };
  for (let round = 0; round < settings.rounds; round++) {
    for (const [name, send] of Object.entries(ways)) {
      progress.show(`parts, round ${round + 1} of ${settings.rounds}: ${name}…`);
      await database.settle(service.url);
      const sent = await withMemory(send);
      await checkBatch(database, sent.batch, items);
      figures[name].push(sent);
    }
  }
  const times = (name) => figures[name].map(({ milliseconds }) => milliseconds);
  const peak = (name) => Math.round(Math.max(...figures[name].map((each) => each.peak)));
  return [
    row({
      name: `${items.toLocaleString('en-US')} in ${pieces.length} parts, 4 streams: ${seconds(median(times('four')))}`,
      against: `one stream: ${seconds(median(times('one')))}`,
      most: 1,
      value: medianRatio(times('four'), times('one')),
      note: `as one body ${seconds(median(times('whole')))}; resident memory at most ${peak('four')} MB with four streams, ${peak('one')} MB with one, ${peak('whole')} MB as one body`,
    }),
  ];
}
