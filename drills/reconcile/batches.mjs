// Batches: what was acknowledged is wholly there, all else wholly absent, nothing twice.

/** @typedef {import('./ledgers.mjs').Find} Find @typedef {import('./ledgers.mjs').Ledgers} Ledgers */

// Of every batch that came as an upload, whether it is visible now or not: what its attempt holds.
const batchesWithContent = `
  select b.id, b.idempotency_key as key, b.state, b.items, b.attempt, b.replaces, b.replaced_by,
    b.published_revision::bigint as published, b.withdrawn_revision::bigint as withdrawn,
    coalesce(c.items, 0) as held, coalesce(c.sum, 0) as sum, coalesce(c.cells, 0) as cells,
    coalesce(c.fewest, 0) as fewest, coalesce(c.most, 0) as most,
    (select coalesce(sum(p.items), 0) from fairway.parts p where p.attempt = b.attempt) as in_parts
  from fairway.batches b left join (
    select attempt, sum(n) as items, sum(total) as sum, count(*) as cells, min(n) as fewest, max(n) as most
    from (
      select s.attempt, s.lane, i.day, sum(i.n) as n, sum(i.total) as total
      from fairway.segments s cross join lateral (
        select day, count(*) as n, sum(price::bigint) as total
        from fairway.unpack(s.format, s.first_day, s.items, s.payload) group by day
      ) i
      where s.attempt = any ($1::bigint[])
      group by s.attempt, s.lane, i.day
    ) cell group by attempt
  ) c on c.attempt = b.attempt
  where b.attempt = any ($1::bigint[])`;
const uploads = `select id, idempotency_key as key, state, attempt from fairway.batches where source = 'upload' order by id`;
/** Attempts in one statement: the cells of all at once could be many. */
const batchesAtOnce = 200;
const cells = 48;

/** @param {import('pg').Client} client @param {Ledgers} ledgers @param {Find} find */
export async function compareBatches(client, { keys, withdrawals }, find) {
  const { rows: all } = await client.query(uploads);
  const byKey = new Map();
  for (const row of all) {
    if (byKey.has(row.key)) find('once', `key ${row.key} has batches ${byKey.get(row.key).id} and ${row.id}`);
    byKey.set(row.key, row);
    if (row.attempt !== null && !keys.has(row.key))
      find('once', `batch ${row.id} (key ${row.key}) is ${row.state}, but no client sent it`);
  }
  /** @type {Map<string, any>} */
  const content = new Map();
  const attempts = all.flatMap(({ attempt }) => (attempt === null ? [] : [attempt]));
  for (let at = 0; at < attempts.length; at += batchesAtOnce) {
    const { rows } = await client.query(batchesWithContent, [attempts.slice(at, at + batchesAtOnce)]);
    for (const row of rows) content.set(row.key, row);
  }
  const counts = { acknowledged: 0, absent: 0, itemsCompared: 0 };
  for (const told of keys.values()) {
    const row = content.get(told.key);
    if (told.verdict === 'published') {
      counts.acknowledged++;
      counts.itemsCompared += told.items;
      comparePublished(told, row, byKey.get(told.key), find);
    } else compareAbsent(told, row, byKey.get(told.key), counts, find);
  }
  compareWithdrawals(content, withdrawals, keys, find);
  await compareView(client, content, find);
  return { ...counts, batches: all.length, withdrawals: withdrawals.length };
}

/** @param {import('./ledgers.mjs').Key} told @param {any} row @param {any} found @param {Find} find */
function comparePublished(told, row, found, find) {
  const { where, key, id, revision, items, sum } = told;
  const say = (/** @type {string} */ text) =>
    find('kept', `${where}: batch ${id} (${key}) was acknowledged, ${text}`);
  if (!row) return say(found ? `but is ${found.state} with nothing published` : 'but is not there');
  if (row.id !== id) return say(`but the key has batch ${row.id}`);
  if (Number(row.published) !== revision) say(`with revision ${revision}, but has ${row.published}`);
  const held = Number(row.held);
  if (
    held !== items ||
    Number(row.sum) !== sum ||
    Number(row.items) !== items ||
    Number(row.in_parts) !== items
  )
    say(
      `${items} items of sum ${sum}, but holds ${held} of ${row.sum} (its row says ${row.items}, its parts ${row.in_parts})`,
    );
  else if (
    Number(row.cells) !== cells ||
    Number(row.fewest) !== told.count ||
    Number(row.most) !== told.count
  )
    say(
      `${told.count} items in each of ${cells} cells, but has ${row.fewest} to ${row.most} in ${row.cells}`,
    );
}

/** @param {import('./ledgers.mjs').Key} told @param {any} row @param {any} found @param {any} counts @param {Find} find */
function compareAbsent(told, row, found, counts, find) {
  const { where, key, verdict, items, sum } = told;
  if (verdict === 'unknown') {
    // Nobody was told: all of it or nothing.
    if (row && (Number(row.held) !== items || Number(row.sum) !== sum))
      find('whole', `${where}: ${key} has ${row.held} of ${items} items`);
    return;
  }
  counts.absent++;
  if (row) find('kept', `${where}: ${key} was ${verdict}, but batch ${row.id} is ${row.state}`);
  else if (verdict === 'rejected' && found?.state !== 'rejected')
    find('kept', `${where}: ${key} was rejected, but is ${found?.state ?? 'not there'}`);
}

/** What was withdrawn or replaced went in the revision that was said. @param {Map<string, any>} content @param {import('./ledgers.mjs').Withdrawal[]} withdrawals @param {Ledgers['keys']} keys @param {Find} find */
function compareWithdrawals(content, withdrawals, keys, find) {
  const rows = new Map([...content.values()].map((row) => [row.id, row]));
  /** @type {Map<string, number>} */
  const gone = new Map();
  for (const { where, batch, verdict, withdrawnRevision } of withdrawals) {
    if (verdict !== 'withdrawn') continue;
    const row = rows.get(batch);
    if (row?.state !== 'withdrawn' || Number(row.withdrawn) !== withdrawnRevision)
      find(
        'kept',
        `${where}: batch ${batch} was withdrawn at ${withdrawnRevision}, but is ${row?.state} (${row?.withdrawn})`,
      );
    gone.set(batch, Number(withdrawnRevision));
  }
  for (const { where, verdict, replaces, id, revision } of keys.values()) {
    if (verdict !== 'published' || replaces === undefined) continue;
    const row = rows.get(replaces);
    if (Number(row?.withdrawn) !== revision || row?.replaced_by !== id)
      find(
        'whole',
        `${where}: batch ${id} replaced ${replaces} at ${revision}, which went at ${row?.withdrawn} for ${row?.replaced_by}`,
      );
    gone.set(replaces, Number(revision));
  }
  const asked = new Set(withdrawals.map(({ batch }) => batch));
  for (const { id, state } of rows.values())
    if (state === 'withdrawn' && !gone.has(id) && !asked.has(id))
      find('kept', `batch ${id} is withdrawn, but nobody was told so`);
}

/** The view for people shows the same. @param {import('pg').Client} client @param {Map<string, any>} content @param {Find} find */
async function compareView(client, content, find) {
  const { rows } = await client.query(
    'select batch, count(*) as items, sum(price::bigint) as sum from fairway.items group by batch',
  );
  const seen = new Map(rows.map((row) => [row.batch, row]));
  for (const { id, state, held, sum } of content.values()) {
    const row = seen.get(id);
    seen.delete(id);
    if (state === 'published' ? row?.items !== held || row?.sum !== sum : row !== undefined)
      find(
        'whole',
        `fairway.items shows ${row?.items ?? 0} items of batch ${id}, which is ${state} and holds ${held}`,
      );
  }
  for (const id of seen.keys()) find('once', `fairway.items shows batch ${id}, which no client sent`);
}
