/** What every sweep must come by; a new name of a statement is to be told here, or it would be left out unnoticed. */
import { expect } from 'vitest';
import { actionsAt, roundsOf, roundsOfParts } from './points.js';
import { stageActions } from './run.js';
import type { Swept } from './sweep.js';

const statements = {
  open: 'insert into fairway.batches',
  claim: 'insert into fairway.attempts',
  takeover: "update fairway.attempts a set state = 'dead' from fairway.batches b where b.id",
  lanes: 'insert into fairway.lanes',
  part: 'insert into fairway.parts',
  'commit of a part': 'commit after copy fairway.segments',
  revision: 'update fairway.head set revision',
  publish: "update fairway.batches set state = 'published'",
  replace: "update fairway.batches set state = 'withdrawn'",
  'commit of publishing': 'commit after update fairway.attempts set lease_until = null',
  renewal: 'update fairway.attempts set lease_until = clock_timestamp()',
  reject: "update fairway.batches set state = 'rejected'",
  faults: 'insert into fairway.batch_errors',
  'mark dead': "update fairway.attempts set state = 'dead' where id",
  collect: 'delete from fairway.segments',
  collected: "update fairway.attempts set state = 'collected'",
  remove: 'select fairway.remove_unfinished',
};
const copies = {
  '>': ['Query', 'CopyData', 'CopyDone'],
  '<': ['CopyInResponse', 'CommandComplete', 'ReadyForQuery'],
};

export function expectMessages({ points }: Swept, side: '>' | '<'): void {
  const names = [...points.keys()];
  for (const [what, statement] of Object.entries(statements))
    expect(names, what).toContainEqual(expect.stringContaining(`${side} ${statement}`));
  for (const kind of copies[side])
    expect(names, kind).toContainEqual(expect.stringContaining(`${side} ${kind} of copy`));
  expectRounds(points, roundsOf);
}

/** Each way of each point as often as it must be. */
function expectRounds(points: Swept['points'], rounds: (point: string) => number): void {
  for (const [point, counts] of points) {
    const ways = point.startsWith('stage ') ? stageActions : actionsAt(point);
    expect(Object.fromEntries(counts), point).toEqual(
      Object.fromEntries(ways.map((way) => [way, rounds(point)])),
    );
  }
}

const stages = [
  'opened',
  'reading',
  'part read',
  'part loading',
  'part loaded',
  'read',
  'publishing',
  'before head',
  'rejecting',
  'before commit',
  'after commit',
  'abandoning',
  'answering',
  'renewing the lease',
  'marked dead',
  'segments removed',
  'collected',
];

export function expectStages({ points }: Swept): void {
  expect([...points.keys()].sort()).toEqual(stages.map((stage) => `stage ${stage}`).sort());
  expectRounds(points, roundsOf);
}

const statementsOfParts = {
  open: 'insert into fairway.batches',
  claim: 'insert into fairway.attempts',
  'commit of opening': 'commit after insert into fairway.attempts',
  part: 'insert into fairway.parts as p',
  'the part in whose place it comes': 'delete from fairway.segments where attempt = $1 and part = $2',
  renewal: 'update fairway.attempts set lease_until = clock_timestamp()',
  'commit of a part': 'commit after update fairway.attempts set lease_until = clock_timestamp()',
  revision: 'update fairway.head set revision',
  publish: "update fairway.batches set state = 'published'",
  replace: "update fairway.batches set state = 'withdrawn'",
  'commit of publishing': 'commit after update fairway.attempts set lease_until = null',
  'not published': 'rollback after',
  'give up': "update fairway.attempts set state = 'dead' where id",
  'commit of giving up': "commit after update fairway.attempts set state = 'dead' where id",
  remove: 'select fairway.remove_unfinished',
};

const stagesOfParts = [
  'opened',
  'part read',
  'part loading',
  'part loaded',
  'publishing',
  'before head',
  'before commit',
  'after commit',
  'answering',
  'abandoning',
  'marked dead',
  'segments removed',
  'collected',
];

export function expectParts({ points }: Swept): void {
  const names = [...points.keys()];
  for (const side of ['>', '<'] as const) {
    for (const [what, statement] of Object.entries(statementsOfParts))
      expect(names, what).toContainEqual(expect.stringContaining(`${side} ${statement}`));
    for (const kind of copies[side])
      expect(names, kind).toContainEqual(expect.stringContaining(`${side} ${kind} of copy`));
  }
  expect(names.filter((name) => name.startsWith('stage ')).sort()).toEqual(
    stagesOfParts.map((stage) => `stage ${stage}`).sort(),
  );
  expectRounds(points, roundsOfParts);
}
