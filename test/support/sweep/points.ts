/** The points of a sweep: in go the messages of an undisturbed run, out come points with their names, and which message is the one to act on. */
import { actions, type Action } from '../postgres-proxy.js';
import type { Message } from '../protocol.js';

/**
 * The name of the point a message belongs to; undefined for connecting, which is no part of an upload. The question of a
 * statement is one point and its answer another, for each side acts on its messages together: they take turns. Of COPY
 * each message is a point.
 */
export function pointOf({ side, kind, exchange }: Message): string | undefined {
  const { statement } = exchange;
  if (statement === 'connecting') return undefined;
  return isCopy(statement) ? `${side} ${kind} of ${statement}` : `${side} ${statement}`;
}

const isCopy = (statement: string): boolean => statement.startsWith('copy ');

const reads = /^. (select (?!fairway)|begin|set )/;
/** What makes a batch visible, and what keeps its claim. */
const decisive =
  /^. update fairway\.(head set revision|batches set state = '(published|withdrawn)'|attempts set lease_until)/;

/** How often a point is disturbed in each of the four ways, so that each of its messages is at least ten times in all; reads are twelve times in all. */
export const roundsOf = (point: string): number => (reads.test(point) ? 3 : decisive.test(point) ? 13 : 10);

/** What the sweep of uploads comes by in the same way: reads, lanes, the collector's statements. */
const ofUploads =
  /^. (begin|set |select (?!fairway|.* for (share|update)$)|.*(fairway\.lanes|with ordinality)|delete from fairway\.(segments where ctid|parts)|.*state = 'collected'|.*fairway\.attempts a set state)/;
/** What stores a part, and the COMMIT of publishing. */
const storesPart =
  /^. (.* of copy |insert into fairway\.parts|commit after update fairway\.attempts set lease_until)/;

export const isOfParts = (point: string): boolean => !ofUploads.test(point);

/** Ten times in each way where parts alone come by, else at least twelve times in all. */
export const roundsOfParts = (point: string): number => (storesPart.test(point) ? 10 : 3);

/** A COMMIT may also be still on its way when the service has given up its connection. */
export const actionsAt = (point: string): readonly Action[] =>
  point.startsWith('> commit') ? [...actions, 'strand'] : actions;

/** How often each point was passed. */
export function countPoints(messages: readonly Message[]): Map<string, number> {
  const counts = new Map<string, number>();
  const passed = new Map<string, object>();
  for (const message of messages) {
    const point = pointOf(message);
    if (point === undefined) continue;
    const { exchange } = message;
    if (passed.get(point) !== exchange || isCopy(exchange.statement))
      counts.set(point, (counts.get(point) ?? 0) + 1);
    passed.set(point, exchange);
  }
  return counts;
}

/** Nothing of the same side comes after these. */
const lasts = new Set(['Query', 'Sync', 'ReadyForQuery']);

/** Whether a message is the one: of the point's n-th passing, both from 0, the message whose turn it is, or the last one. */
export function passing(point: string, occurrence: number, turn: number): (message: Message) => boolean {
  const passed = new Map<object, { occurrence: number; messages: number }>();
  let occurrences = 0;
  return (message) => {
    if (pointOf(message) !== point) return false;
    if (isCopy(message.exchange.statement)) return occurrences++ === occurrence;
    const at = passed.get(message.exchange) ?? { occurrence: occurrences++, messages: 0 };
    passed.set(message.exchange, at);
    const its = at.messages++ === turn || lasts.has(message.kind);
    return its && at.occurrence === occurrence;
  };
}
