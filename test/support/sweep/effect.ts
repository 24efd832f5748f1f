/** Whether what a client asked for has happened exactly once: in go the database and the effect, out come the differences. */
import type { ClientBase } from 'pg';
import type { Item } from '../batches.js';
import type { Answer, Effect, Run } from './scenarios.js';

export interface Standing {
  revision: number;
  revisions: number;
  visible: number;
}

const standingColumns = `(select revision::integer from fairway.head) as revision,
  (select count(*)::integer from fairway.revisions) as revisions,
  (select count(*)::integer from fairway.batches where published_revision is not null and withdrawn_revision is null) as visible`;

function first<Row>([row]: Row[]): Row {
  if (row === undefined) throw new Error('no row');
  return row;
}

export const standing = async (client: ClientBase): Promise<Standing> => {
  const { rows } = await client.query<Standing>(`select ${standingColumns}`);
  return first(rows);
};

/** Leases are over at once. */
export const expireLeases = (client: ClientBase): Promise<unknown> =>
  client.query(
    "update fairway.attempts set lease_until = now() - interval '1 second' where lease_until is not null",
  );

/** What belongs to no published batch; undefined where there is nothing. */
export async function orphans(client: ClientBase): Promise<string | undefined> {
  const { rows } = await client.query<Record<string, string | null>>(
    `select (select string_agg(a.id || ' ' || a.state, ', ') from fairway.attempts a
         where a.state <> 'collected' and not exists (select from fairway.batches b where b.attempt = a.id)) as attempts,
       (select string_agg(distinct s.attempt::text, ', ') from fairway.segments s
         where not exists (select from fairway.batches b where b.attempt = s.attempt)) as segments,
       (select string_agg(distinct p.attempt::text, ', ') from fairway.parts p
         where not exists (select from fairway.batches b where b.attempt = p.attempt)) as parts,
       (select string_agg(id::text, ', ') from fairway.batches where state = 'loading') as batches`,
  );
  const left = Object.entries(rows[0] ?? {}).filter(([, value]) => value !== null);
  return left.length === 0 ? undefined : left.map(([what, ids]) => `${what} ${ids}`).join(', ');
}

interface Found extends Standing {
  batches: { id: string; state: string; published: number | null; withdrawn: number | null }[];
  items: string[];
  faults: number;
  replaced: { state: string; withdrawn: number; by: string } | null;
}

const found = `select ${standingColumns},
  (select json_agg(json_build_object('id', id::text, 'state', state, 'published', published_revision, 'withdrawn', withdrawn_revision))
     from fairway.batches where idempotency_key = $1) as batches,
  (select coalesce(json_agg(concat_ws(',', i.orig_code, i.dest_code, i.day, i.price)), '[]'::json) from fairway.items i
     join fairway.batches b on b.id = i.batch where b.idempotency_key = $1) as items,
  (select count(*)::integer from fairway.batch_errors e join fairway.batches b on b.id = e.batch where b.idempotency_key = $1) as faults,
  (select json_build_object('state', state, 'withdrawn', withdrawn_revision, 'by', replaced_by::text)
     from fairway.batches where id = $2) as replaced`;

const sorted = (items: readonly string[]): string[] => [...items].sort();
const asText = (items: readonly Item[]): string[] => items.map((item) => item.join(','));

/** Each difference in words; none where all is as it must be. */
export async function differences(
  client: ClientBase,
  run: Run,
  effect: Effect,
  before: Standing,
  answers: readonly Answer[],
): Promise<string[]> {
  const { rows } = await client.query<Found>(found, [run.key, run.given ?? null]);
  const now = first(rows);
  const [batch] = now.batches;
  const head = before.revision + effect.revisions;
  const delta = effect.state === 'withdrawn' ? -1 : effect.replaces ? 0 : effect.revisions;
  const faults: string[] = [];
  const expect = (what: string, is: unknown, shouldBe: unknown): void => {
    if (JSON.stringify(is) !== JSON.stringify(shouldBe))
      faults.push(`${what}: ${JSON.stringify(is)} instead of ${JSON.stringify(shouldBe)}`);
  };
  expect('batches of the key', now.batches.length, 1);
  expect('state', batch?.state, effect.state);
  expect('the head', now.revision, head);
  expect('revisions', now.revisions, before.revisions + effect.revisions);
  expect('visible batches', now.visible, before.visible + delta);
  expect('items', sorted(now.items), sorted(asText(effect.items)));
  expect('faults', now.faults, effect.faults ?? 0);
  if (effect.state === 'published' && effect.revisions === 1) expect('revision', batch?.published, head);
  if (effect.state === 'withdrawn') expect('revision of the withdrawal', batch?.withdrawn, head);
  if (effect.replaces)
    expect('what was replaced', now.replaced, { state: 'withdrawn', withdrawn: head, by: batch?.id });
  for (const answer of answers)
    expect('what was answered', [answer.batch.id, answer.batch.state], [batch?.id, effect.state]);
  return faults;
}
