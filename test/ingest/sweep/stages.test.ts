/** Processes disturbed between the stages of their work. */
import { expect, test } from 'vitest';
import { expectStages } from '../../support/sweep/expected.js';
import { scenarios } from '../../support/sweep/scenarios.js';
import { sweep, sweepMilliseconds } from '../../support/sweep/sweep.js';

test(
  'whatever happens to the connections between two stages, the client has one effect in the end',
  async () => {
    const swept = await sweep(scenarios, (point) => point.startsWith('stage '));
    process.stderr.write(`${swept.summary}\n`);
    expectStages(swept);
    expect(swept.told.get('in_progress')).toBeGreaterThan(0);
  },
  sweepMilliseconds,
);
