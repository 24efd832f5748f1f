/** Loads at a pace: the same outcome, reading and COPY both booked, and no transaction kept open for the sake of it. */
import { expect, test } from 'vitest';
import { Pace } from '../../../src/pace.js';
import { loadSegments } from '../../../src/ingest/load.js';
import { Rests } from '../../../src/ingest/parse/rests.js';
import { readUpload } from '../../../src/ingest/parse/upload.js';
import { Uploads } from '../../../src/ingest/pipeline.js';
import { contextOf, csv, importPlaces, itemsOf } from '../../support/batches.js';
import { withDatabase } from '../../support/database.js';
import { bytes, items, upload } from '../../support/uploads.js';

const bookedOf = ({ shared }: Pace): bigint => Atomics.load(new BigInt64Array(shared.timeline), 0);

const segments = (count: number) =>
  Array.from({ length: count }, (_, lane) => ({
    lane,
    firstDay: 19_000,
    lastDay: 19_000,
    items: 2,
    payload: Buffer.from([1, 1, 0, 0, 0, 9, 0, 0, 0, 0]),
  }));

test('a load at a pace is published as any other', () =>
  withDatabase(async (test) => {
    await importPlaces(test);
    const pace = Pace.of(50);
    const uploads = new Uploads({ ...contextOf(test), pace });
    const { batch } = await uploads.take(upload, bytes(csv(itemsOf(20_000))));
    expect(batch).toMatchObject({ state: 'published', items: 20_000 });
    expect(await items(test)).toBe(20_000);
    expect(bookedOf(pace)).toBeGreaterThan(0n);
  }));

test('the thread that reads books what it works, in pieces, while it parses and while it packs', async () => {
  const pace = Pace.of(50);
  const ports = ['AAAAA', 'BBBBB'].map((code) => ({ code, name: code }));
  const read = await readUpload(bytes(csv(itemsOf(100))), { format: 'csv', ports, pace: pace.shared }, () =>
    Promise.resolve(),
  );
  expect(read).toMatchObject({ items: 100, faultTotal: 0 });
  expect(bookedOf(pace)).toBeGreaterThan(0n);

  const rests = new Rests(pace.shared);
  const whole = Buffer.alloc(1 << 18, 'a');
  const pieces = [...rests.between(whole)];
  expect(Buffer.concat(pieces).equals(whole)).toBe(true);
  expect(pieces.length).toBeGreaterThan(2);
  const before = bookedOf(pace);
  expect([...rests.among(Array.from({ length: 500 }, (_, index) => index))]).toHaveLength(500);
  expect(bookedOf(pace)).toBeGreaterThan(before);
});

test('the thread that reads slows down in the middle of what it reads, and is let go in the middle', () => {
  const pace = Pace.of(100);
  const rests = new Rests(pace.shared);
  const whole = Buffer.alloc(1 << 20, 'a');
  expect([...rests.between(whole)]).toHaveLength(1);
  expect(bookedOf(pace)).toBe(0n);

  pace.percent = 50;
  const sizes: number[] = [];
  for (const piece of rests.between(whole)) {
    sizes.push(piece.length);
    if (sizes.length === 2) pace.percent = 100;
  }
  expect(sizes).toEqual([1 << 16, 1 << 16, (1 << 20) - (2 << 16)]);
  expect(bookedOf(pace)).toBeGreaterThan(0n);

  const among = rests.among(Array.from({ length: 500 }, (_, index) => index));
  for (let value = 0; value < 100; value++) among.next();
  const before = bookedOf(pace);
  pace.percent = 50;
  expect([...among]).toHaveLength(400);
  expect(bookedOf(pace)).toBeGreaterThan(before);
});

test('COPY books what it works, and ends however little it is given', () =>
  withDatabase(async ({ database }) => {
    const pace = Pace.of(1);
    await database.transaction(async (client) => {
      await client.query('set local session_replication_role = replica');
      const laneIds = Array.from({ length: 5_000 }, (_, lane) => lane + 1);
      await loadSegments(client, { attempt: '1', part: 0 }, segments(5_000), laneIds, pace);
      const { rows } = await client.query('select count(*)::integer as count from fairway.segments');
      expect(rows).toEqual([{ count: 5_000 }]);
    });
    expect(bookedOf(pace)).toBeGreaterThan(0n);
  }));
