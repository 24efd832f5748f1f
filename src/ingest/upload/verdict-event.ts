/** What is told of a verdict: in goes a batch that has it, out comes the event. Pure. */
import type { FairwayEvent } from '../../events.js';
import type { Batch } from '../batches/read.js';

export function verdictEvent(batch: Batch, milliseconds: number): FairwayEvent {
  const { id, replaces, items, lanes, revision, bytes, errors, state } = batch;
  if (state === 'rejected') return { kind: 'batch-rejected', batch: id, items, errors, milliseconds };
  return {
    kind: 'batch-published',
    batch: id,
    replaces,
    items,
    lanes,
    revision: revision ?? 0,
    bytes: bytes ?? 0,
    milliseconds,
  };
}
