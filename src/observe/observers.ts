import type { FairwayEvent } from '../events.js';

/** What metrics do at each kind of event. */
export type Observers = {
  [Kind in FairwayEvent['kind']]?: (event: Extract<FairwayEvent, { kind: Kind }>) => void;
};
