/** Batches in parts, disturbed at each message and between their stages. */
import { expect, test } from 'vitest';
import { expectParts } from '../../support/sweep/expected.js';
import { partedScenarios } from '../../support/sweep/parted-scenarios.js';
import { isOfParts, roundsOfParts } from '../../support/sweep/points.js';
import { sweep, sweepMilliseconds } from '../../support/sweep/sweep.js';

test(
  'whatever is done to the connections while a batch comes in parts, the client has one effect in the end',
  async () => {
    const swept = await sweep(partedScenarios, isOfParts, roundsOfParts);
    process.stderr.write(`${swept.summary}\n`);
    expectParts(swept);
    // Parts came after their batch was published.
    expect(swept.told.get('batch_state')).toBeGreaterThan(0);
  },
  sweepMilliseconds,
);
