/** Connections disturbed at each message to PostgreSQL. */
import { expect, test } from 'vitest';
import { expectMessages } from '../../support/sweep/expected.js';
import { scenarios } from '../../support/sweep/scenarios.js';
import { sweep, sweepMilliseconds } from '../../support/sweep/sweep.js';

test(
  'whatever is done to the connection at each message to PostgreSQL, the client has one effect in the end',
  async () => {
    const swept = await sweep(scenarios, (point) => point.startsWith('> '));
    process.stderr.write(`${swept.summary}\n`);
    expectMessages(swept, '>');
    // Loaders were overtaken.
    expect(swept.told.get('in_progress')).toBeGreaterThan(0);
  },
  sweepMilliseconds,
);
