import fc from 'fast-check';
import { expect, test } from 'vitest';
import { formatDay } from '../../src/days.js';
import { FairwayError } from '../../src/errors.js';
import { maximumDays, parseQuestion, type RawQuery } from '../../src/http/question.js';

const good = { date_from: '2021-01-01', date_to: '2021-01-31', orig_code: 'CNGGZ', dest_code: 'EETLL' };

function faultsOf(query: RawQuery): string[] {
  try {
    parseQuestion(query);
  } catch (error) {
    return (error as FairwayError).faults.map((fault) => fault.parameter);
  }
  return [];
}

test('a question is read; a repeated parameter counts by its first value; extra ones do not matter', () => {
  expect(parseQuestion({ ...good, extra: 'x' })).toEqual({
    origin: { port: 'CNGGZ' },
    destination: { port: 'EETLL' },
    from: 18_628,
    to: 18_658,
  });
  expect(parseQuestion({ ...good, date_to: ['2021-01-03', '2021-01-05'] }).to).toBe(18_630);
});

test('every fault is named at once', () => {
  expect(faultsOf({})).toEqual(['date_from', 'date_to', 'orig_code', 'dest_code']);
  expect(faultsOf({ ...good, date_from: '2021-02-29', dest_code: '' })).toEqual(['date_from', 'dest_code']);
  expect(faultsOf({ ...good, orig_code: 'CN\0GZ' })).toEqual(['orig_code']);
});

test('each end comes in one of its two forms', () => {
  const { orig_code: _, ...places } = { ...good, origin: 'china' };
  expect(parseQuestion(places)).toMatchObject({
    origin: { place: 'china', parameter: 'origin' },
    destination: { port: 'EETLL' },
  });
  expect(faultsOf({ ...good, origin: 'china' })).toEqual(['origin']);
  expect(faultsOf({ ...good, destination: '' })).toEqual(['destination', 'destination']);
  expect(faultsOf({ ...places, origin: '' })).toEqual(['origin']);
});

test('min_revision is a revision or nothing', () => {
  expect(parseQuestion({ ...good, min_revision: '12' }).minRevision).toBe(12);
  expect(parseQuestion(good)).not.toHaveProperty('minRevision');
  for (const wrong of ['', '-1', '1.5', '١', '9'.repeat(16)])
    expect(faultsOf({ ...good, min_revision: wrong }), wrong).toEqual(['min_revision']);
});

test('any two days at most 4,000 apart are taken, and not one more', () => {
  const day = fc.integer({ min: -719_162, max: 2_928_000 });
  fc.assert(
    fc.property(day, fc.integer({ min: -100, max: maximumDays + 100 }), (from, length) => {
      const query = {
        ...good,
        date_from: formatDay(from),
        date_to: formatDay(Math.max(-719_162, from + length - 1)),
      };
      expect(faultsOf(query)).toEqual(length > maximumDays ? ['date_to'] : []);
    }),
  );
});
