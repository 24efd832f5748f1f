// What clients do that follow along: a copy kept by GET /rates/changes, and GET /revisions read to the newest.
import { cells, dayOf, daysOfGroup, destinations, origins } from './batches.mjs';
import { ask, judge, order } from './judge.mjs';

/**
 * @typedef {import('./reader.mjs').Reader} Reader
 * @typedef {{ count: number, price: number | null }} Rate
 * @typedef {{ revision: number, cells: Map<string, Rate> }} Copy rates by lane and day, as they were at a revision
 */

const none = { count: 0, price: null };

/** The copy is brought to a newer revision: then it is what everybody sees there. @param {Reader} reader */
export async function followCopy(reader) {
  const { copy, counts, groups, random } = reader;
  const path = `/rates/changes?since=${copy.revision}`;
  const told = await random.of([changesAsLines, changesByPage, changesAsCsv])(reader, path);
  if (!told) return;
  counts['changes']++;
  order(reader, { path, revision: told.revision, minRevision: copy.revision });
  for (const { orig_code, dest_code, day, count, price } of told.changes)
    copy.cells.set(`${orig_code} ${dest_code} ${day}`, { count: count ?? 0, price });
  copy.revision = told.revision;
  for (const { group } of groups)
    judge(reader, {
      path,
      group,
      lanes: 1,
      days: cellsOf(group, copy),
      length: cells,
      revision: told.revision,
      copied: true,
    });
}

/** @param {number} group @param {Copy} copy @returns {Rate[]} */
const cellsOf = (group, copy) =>
  origins.flatMap((origin) =>
    destinations.flatMap((destination) =>
      Array.from(
        { length: daysOfGroup },
        (_, day) => copy.cells.get(`${origin} ${destination} ${dayOf(group, day)}`) ?? none,
      ),
    ),
  );

/** @typedef {{ changes: any[], revision: number }} Told */

/** @param {Reader} reader @param {string} path @returns {Promise<Told | undefined>} */
async function changesAsLines(reader, path) {
  const answer = await ask(reader, path, { headers: { accept: 'application/x-ndjson' } });
  return (
    answer && { changes: linesOf(reader, path, answer), revision: Number(answer.headers['rates-revision']) }
  );
}

/** Without a last line: that it is whole says the end of the answer. @param {Reader} reader @param {string} path @returns {Promise<Told | undefined>} */
async function changesAsCsv(reader, path) {
  const answer = await ask(reader, `${path}&format=csv`);
  if (!answer) return undefined;
  reader.counts['csv']++;
  const [, ...lines] = answer.text.trimEnd().split('\r\n');
  const changes = lines.map((line) => {
    const [orig_code, dest_code, day, price, count] = line.split(',');
    return { orig_code, dest_code, day, count: Number(count), price: price === '' ? null : Number(price) };
  });
  return { changes, revision: Number(answer.headers['rates-revision']) };
}

/** In small pages, all of the revision of the first. @param {Reader} reader @param {string} path @returns {Promise<Told | undefined>} */
async function changesByPage(reader, path) {
  const changes = [];
  for (let cursor = ''; ;) {
    const answer = await ask(reader, `${path}&limit=40${cursor}`);
    if (!answer) return undefined;
    const { changes: some, revision, next } = answer.body;
    changes.push(...some);
    if (next === null) return { changes, revision };
    cursor = `&cursor=${encodeURIComponent(next)}`;
  }
}

/** The lines before the last, which has the revision: without it the answer is not whole. @param {Reader} reader @param {string} path @param {import('./client.mjs').Answer} answer */
function linesOf({ findings }, path, { text, headers }) {
  const lines = text
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  const last = lines.pop();
  if (String(last?.revision) !== headers['rates-revision'])
    findings.add(
      'whole',
      `${path}: ends with ${JSON.stringify(last)} at revision ${headers['rates-revision']}`,
    );
  return lines;
}

/** Each revision once, with what it changed, which reconcile.mjs compares. @param {Reader} reader */
export async function followRevisions(reader) {
  const { counts, findings, ledger, random } = reader;
  const path = `/revisions?since=${reader.toldUpTo}&limit=50`;
  const asLines = random.chance(0.5);
  const answer = await ask(reader, path, asLines ? { headers: { accept: 'application/x-ndjson' } } : {});
  if (!answer) return;
  counts['revisions']++;
  order(reader, { path, revision: Number(answer.headers['rates-revision']), minRevision: reader.toldUpTo });
  const revisions = asLines ? linesOf(reader, path, answer) : answer.body.revisions;
  for (const { revision, kind, batches } of revisions) {
    const line = ledger.write({ told: revision, kind, batches, path });
    if (revision !== ++reader.toldUpTo)
      findings.add('past', `${line}: revision ${revision} follows ${reader.toldUpTo - 1}`);
    reader.toldUpTo = revision;
  }
}
