// Questions of readers, each by one endpoint: between what, of which moment, in which format is chance.
import { dayOf, daysOfGroup, destinations, origins } from './batches.mjs';
import { ask, judge, order } from './judge.mjs';

/** @typedef {import('./reader.mjs').Reader} Reader @typedef {import('./judge.mjs').Day} Day */

/** Places to ask for, with the number of ports below. */
const from = [
  ...origins.map((place) => ({ place, ports: 1 })),
  { place: 'drill_west', ports: 4 },
  { place: 'drill_west_a', ports: 2 },
  { place: 'drill_west_b', ports: 2 },
];
const to = [...destinations.map((place) => ({ place, ports: 1 })), { place: 'drill_east', ports: 3 }];
const statistics = ['avg', 'min', 'p2.5', 'p25', 'median', 'p75', 'p97.5', 'max'];
/** More lanes may have millions of prices to be sorted. */
const mostLanesOfStatistics = 2;
const mostOfMany = 8;
const mostRemembered = 50;
/** As far back as questions of the past go, most of them. */
const revisionsBack = 100;

/**
 * A question, the revision of its answer and what it said, in the form of `rowsOf`.
 * @typedef {{ query: string, question: Question, revision: number, rows: string }} Remembered
 * @typedef {{ group: number, lanes: number, ends: Record<string, string>, stats: string[] }} Question
 */

/** @param {Reader} reader @returns {Question} */
function someQuestion({ random, groups }) {
  const { group } = random.of(groups);
  const [origin, destination] = [random.of(from), random.of(to)];
  const lanes = origin.ports * destination.ports;
  const ofOld = lanes === 1 && random.chance(0.3);
  return {
    group,
    lanes,
    ends: ofOld
      ? { orig_code: origin.place, dest_code: destination.place }
      : { origin: origin.place, destination: destination.place },
    stats: lanes <= mostLanesOfStatistics && random.chance(0.1) ? statistics : [],
  };
}

/**
 * Of now, of now but not before what was seen or heard of, or as of a revision, be it one that the node has not reached.
 * @param {Reader} reader
 * @returns {{ asOf?: number, minRevision?: number }}
 */
function someMoment({ random, known, newest }) {
  const chance = random.next();
  if (chance < 0.1) return { asOf: known.newest };
  if (chance < 0.2)
    return { asOf: random.whole(Math.max(known.first, known.newest - revisionsBack), known.newest) };
  if (chance < 0.5) return { minRevision: newest };
  if (chance < 0.6) return { minRevision: known.newest };
  return {};
}

/** @param {{ asOf?: number, minRevision?: number }} moment */
const membersOf = ({ asOf, minRevision }) => ({
  ...(asOf === undefined ? {} : { as_of: asOf }),
  ...(minRevision === undefined ? {} : { min_revision: minRevision }),
});

const rangeOf = (/** @type {number} */ group) => ({
  date_from: dayOf(group, 0),
  date_to: dayOf(group, daysOfGroup - 1),
});

/** @param {object} members */
const queryOf = (members) => String(new URLSearchParams(/** @type {any} */ (members)));

/** GET /rates, as JSON or CSV. @param {Reader} reader */
export async function askRates(reader) {
  const question = someQuestion(reader);
  const { group, ends, stats } = question;
  const query = queryOf({
    ...rangeOf(group),
    ...ends,
    ...(stats.length > 0 ? { stats: stats.join(',') } : {}),
  });
  const moment = someMoment(reader);
  const answer = await askOnce(reader, question, query, moment);
  if (!answer) return;
  order(reader, { ...answer, ...moment });
  remember(reader, { query, question, revision: answer.revision, rows: rowsOf(answer.days) });
}

/** The same question as of the revision that it was answered at: the same answer, in whatever format. @param {Reader} reader */
export async function askAgain(reader) {
  const { random, answers, findings, counts } = reader;
  if (answers.length === 0) return;
  const { query, question, revision, rows } = random.of(answers);
  const answer = await askOnce(reader, question, query, { asOf: revision });
  if (!answer) return;
  counts['again']++;
  order(reader, { ...answer, asOf: revision });
  if (rowsOf(answer.days) !== rows)
    findings.add(
      'past',
      `${answer.path}: ${rowsOf(answer.days)}, but at revision ${revision} it was ${rows}`,
    );
}

/** @param {Reader} reader @param {Question} question @param {string} query @param {ReturnType<typeof someMoment>} moment */
async function askOnce(reader, { group, lanes, stats }, query, moment) {
  const csv = reader.random.chance(0.25);
  const path = `/rates?${query}&${queryOf(membersOf(moment))}${csv ? '&format=csv' : ''}`;
  const answer = await ask(reader, path);
  if (!answer) return undefined;
  if (csv) reader.counts['csv']++;
  if (moment.asOf !== undefined) reader.counts['past']++;
  const days = csv ? daysOfCsv(answer.text) : daysOfJson(answer.body?.rates);
  const revision = Number(answer.headers['rates-revision']);
  judge(reader, { path, group, lanes, days, length: daysOfGroup, revision, asOf: moment.asOf });
  judgeStatistics(reader, path, days, stats);
  return { path, revision, days };
}

/** @param {Reader} reader @param {Remembered} answer */
function remember({ answers, random }, answer) {
  if (answers.length < mostRemembered) answers.push(answer);
  else answers[random.whole(0, mostRemembered - 1)] = answer;
}

/** POST /rates/query, in each of its formats. @param {Reader} reader */
export async function askMany(reader) {
  const { random, counts, findings } = reader;
  const list = Array.from({ length: random.whole(1, mostOfMany) }, () => someQuestion(reader));
  const stats = list.every(({ lanes }) => lanes <= mostLanesOfStatistics) ? statistics : [];
  const moment = someMoment(reader);
  const format = random.of(['json', 'ndjson', 'csv']);
  const path = `/rates/query?format=${format}`;
  const body = JSON.stringify({
    questions: list.map(({ group, ends }) => ({ ...rangeOf(group), ...ends })),
    stats,
    ...membersOf(moment),
  });
  const headers = { 'content-type': 'application/json' };
  const answer = await ask(reader, path, { method: 'POST', headers, body: [Buffer.from(body)] });
  if (!answer) return;
  counts['many']++;
  const revision = Number(answer.headers['rates-revision']);
  order(reader, { path, revision, ...moment });
  const answers = answersOf(format, answer);
  if (answers.length !== list.length)
    findings.add('answers', `${path}: ${answers.length} answers to ${list.length} questions: ${body}`);
  for (const [index, { group, lanes }] of list.entries()) {
    const days = answers[index] ?? [];
    judge(reader, {
      path: `${path} ${index} of ${body}`,
      group,
      lanes,
      days,
      length: daysOfGroup,
      revision,
      asOf: moment.asOf,
    });
    judgeStatistics(reader, path, days, stats);
  }
}

/** @param {string} format @param {import('./client.mjs').Answer} answer @returns {Day[][]} */
function answersOf(format, { body, text }) {
  if (format === 'json')
    return (body?.answers ?? []).map((/** @type {any} */ { rates }) => daysOfJson(rates));
  if (format === 'ndjson')
    return text
      .trimEnd()
      .split('\n')
      .map((line) => daysOfJson(JSON.parse(line).rates));
  const days = daysOfCsv(text);
  return Array.from({ length: Math.ceil(days.length / daysOfGroup) }, (_, index) =>
    days.slice(index * daysOfGroup, (index + 1) * daysOfGroup),
  );
}

/** GET /rates/sources of a day. @param {Reader} reader */
export async function askSources(reader) {
  const { group, lanes, ends } = someQuestion(reader);
  const moment = someMoment(reader);
  const [origin, destination] = Object.values(ends);
  const day = dayOf(group, reader.random.whole(0, daysOfGroup - 1));
  const path = `/rates/sources?${queryOf({ origin, destination, day, ...membersOf(moment) })}`;
  const answer = await ask(reader, path);
  if (!answer) return;
  reader.counts['sources']++;
  const { items: count, sources } = answer.body;
  const revision = Number(answer.headers['rates-revision']);
  order(reader, { path, revision, ...moment });
  const sum = sources.reduce(
    (/** @type {number} */ sum, /** @type {any} */ { items, average }) => sum + items * average,
    0,
  );
  judge(reader, {
    path,
    group,
    lanes,
    days: [{ count, price: count === 0 ? null : sum / count }],
    length: 1,
    revision,
    asOf: moment.asOf,
    batches: sources.map((/** @type {any} */ { batch, items }) => [batch, items]),
  });
}

/** Of each day: the average is the rate, and the others stand in their order. @param {Reader} reader @param {string} path @param {readonly any[]} days @param {string[]} stats */
function judgeStatistics({ counts, findings }, path, days, stats) {
  if (stats.length === 0) return;
  counts['statistics']++;
  const [, ...ordered] = stats;
  const right = days.every((day) => {
    const values = ordered.map((name) => day[name]);
    const there =
      day.price === null ? values.every((value) => value === null) : values.every((value) => value !== null);
    return (
      day.avg === day.price &&
      there &&
      values.every((value, index) => index === 0 || value >= values[index - 1])
    );
  });
  if (!right)
    findings.add('whole', `${path}: statistics that are not of the same prices: ${JSON.stringify(days)}`);
}

/** Numbers or null, a count of none 0. @param {any[]} [rates] @returns {Day[]} */
const daysOfJson = (rates = []) => rates.map((day) => ({ ...day, count: day.count ?? 0 }));

/** @param {string} text @returns {Day[]} */
function daysOfCsv(text) {
  const [header = '', ...lines] = text.trimEnd().split('\r\n');
  const names = header.split(',');
  return lines.map((line) => {
    const fields = line.split(',');
    const named = names.map((name, index) => {
      const field = fields[index] ?? '';
      return [name, /^(day|origin|destination)$/.test(name) ? field : field === '' ? null : Number(field)];
    });
    return Object.fromEntries(named);
  });
}

/** What an answer says, whatever its format. @param {readonly any[]} days */
const rowsOf = (days) =>
  JSON.stringify(days.map(({ day, count, price, ...more }) => [day, count, price, ...Object.values(more)]));
