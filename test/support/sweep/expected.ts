/** What every sweep must come by; a new name of a statement is to be told here, or it would be left out unnoticed. */
import { expect } from 'vitest';
import { actionsAt, roundsOf } from './points.js';
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
  for (const [point, counts] of points)
    expect(Object.fromEntries(counts), point).toEqual(
      Object.fromEntries(actionsAt(point).map((action) => [action, roundsOf(point)])),
    );
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
  for (const [point, counts] of points)
    expect(Object.fromEntries(counts), point).toEqual(
      Object.fromEntries(stageActions.map((action) => [action, 10])),
    );
}
