/** GET /revisions and GET /rates/changes: what changed, for those who follow along or keep a copy. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { FairwayError } from '../../errors.js';
import {
  changesBetween,
  payForChanges,
  type ChangesPage,
  type LaneChanges,
} from '../../query/history/changes.js';
import { revisionsSince, type Revision, type RevisionsPage } from '../../query/history/revisions.js';
import { fewestItems } from '../../query/fewest-items.js';
import { dayText, renderRate } from '../../query/render.js';
import { askerWithKey } from '../asker.js';
import { routes } from '../contract.js';
import { csvField } from '../csv.js';
import { historyPages } from '../history-contract.js';
import { chooseFormat, mediaTypes, type AnswerFormat } from '../negotiate.js';
import { readCursor, readCursorOf, writeCursor } from '../page-query.js';
import type { Server, Services } from '../server.js';

export function historyRoutes(server: Server, services: Services): void {
  const { source, answers, deadline } = services;
  server.route({
    ...routes.revisions,
    handler: async (request, reply) => {
      const { since = 0, limit = historyPages.revisions, cursor } = request.query;
      const from = cursor === undefined ? since : Number(readCursor(cursor));
      const asker = await askerWithKey(services, request.raw, reply.raw);
      const read: ReadRevisions = (after, most, until) =>
        revisionsSince(source, after, most, { ...asker, deadline: deadline() }, until);
      const page = await read(from, limit);
      const { revisions, newest } = page;
      answers.head.learn(newest);
      void reply.headers({ 'rates-revision': newest, vary: 'Accept' });
      if (chooseFormat(['json', 'ndjson'], undefined, request.headers.accept) === 'ndjson')
        return sendLines(reply, 'ndjson', revisionLines(page, newest, read));
      const last = revisions.at(-1)?.revision ?? newest;
      return { revisions, revision: newest, next: last < newest ? writeCursor(String(last)) : null };
    },
  });
  server.route({
    ...routes.changes,
    handler: async (request, reply) => {
      const { since, limit = historyPages.changes, cursor } = request.query;
      const format = chooseFormat(['json', 'ndjson', 'csv'], request.query.format, request.headers.accept);
      const { until, afterLane } = placeOf(request.query.until, cursor);
      if (until !== undefined && until < since) throw backwards(since, until);
      const asker = await askerWithKey(services, request.raw, reply.raw);
      const whole = format !== 'json';
      const read = async (afterLane: number, until: number | undefined): Promise<ChangesPage> => {
        const options = { ...asker, deadline: deadline() };
        if (!whole) await payForChanges(source, { since, until }, whole, options);
        return changesBetween(source, { since, until, afterLane }, options);
      };
      // Before the first line goes out: a refusal must not come after it.
      if (whole) await payForChanges(source, { since, until }, whole, asker);
      const first = await read(afterLane, until);
      answers.head.learn(first.until);
      void reply.headers({ 'rates-revision': first.until, vary: 'Accept' });
      if (format !== 'json') return sendLines(reply, format, linesOf[format](first, read));
      const { lanes, lastLane } = await fill(first, limit, read);
      const next = lastLane === undefined ? 'null' : `"${writeCursor(`${first.until}.${lastLane}`)}"`;
      return reply
        .type(mediaTypes.json)
        .send(
          `{"changes":[${lanes.map((lane) => renderLane(lane, ',')).join(',')}],"since":${since},"revision":${first.until},"next":${next}}` as never,
        );
    },
  });
}

/** To HEAD nothing goes out, so nothing is read. Where a chunk cannot be made the connection breaks off; that nobody takes a part for the whole, the last line must tell, or in CSV, which has no place for it, the end of the body as HTTP has it. */
const sendLines = (reply: FastifyReply, format: AnswerFormat, chunks: AsyncIterable<string>): FastifyReply =>
  reply
    .type(mediaTypes[format])
    .send(Readable.from(reply.request.method === 'HEAD' ? [] : chunks, { objectMode: false }));

type ReadRevisions = (after: number, most: number, until?: number) => Promise<RevisionsPage>;

/** A page at a time up to the revision that was the newest at first. */
async function* revisionLines(
  first: RevisionsPage,
  newest: number,
  read: ReadRevisions,
): AsyncGenerator<string> {
  let revisions: readonly Revision[] = first.revisions;
  for (;;) {
    yield revisions
      .filter(({ revision }) => revision <= newest)
      .map((revision) => `${JSON.stringify(revision)}\n`)
      .join('');
    const last = revisions.at(-1)?.revision ?? newest;
    if (last >= newest) break;
    ({ revisions } = await read(last, historyPages.revisions, newest));
  }
  yield `{"revision":${newest}}\n`;
}

type Read = (afterLane: number, until: number) => Promise<ChangesPage>;

/** A lane at a time: all that were read at once would be a large text. */
async function* changedLanes(first: ChangesPage, read: Read): AsyncGenerator<LaneChanges> {
  let { lanes, lastLane } = first;
  for (;;) {
    yield* lanes;
    if (lastLane === undefined) break;
    ({ lanes, lastLane } = await read(lastLane, first.until));
  }
}

const linesOf = {
  async *ndjson(first: ChangesPage, read: Read): AsyncGenerator<string> {
    for await (const lane of changedLanes(first, read)) yield `${renderLane(lane, '\n')}\n`;
    yield `{"revision":${first.until}}\n`;
  },
  async *csv(first: ChangesPage, read: Read): AsyncGenerator<string> {
    yield 'orig_code,dest_code,day,price,count\r\n';
    for await (const lane of changedLanes(first, read)) yield csvOfLane(lane);
  },
};

/** Lanes until there are as many changes as asked for. */
async function fill(first: ChangesPage, limit: number, read: Read): Promise<ChangesPage> {
  const lanes = [...first.lanes];
  let { lastLane } = first;
  let changes = sizeOf(lanes);
  while (lastLane !== undefined && changes < limit) {
    const more = await read(lastLane, first.until);
    lanes.push(...more.lanes);
    changes += sizeOf(more.lanes);
    ({ lastLane } = more);
  }
  return { lanes, until: first.until, lastLane };
}

const sizeOf = (lanes: readonly LaneChanges[]): number =>
  lanes.reduce((changes, { days }) => changes + days.length, 0);

/** An object for each day of a lane. */
function renderLane({ origin, destination, days, counts, sums }: LaneChanges, separator: string): string {
  const lane = `{"orig_code":${JSON.stringify(origin)},"dest_code":${JSON.stringify(destination)},"day":"`;
  return days
    .map((day, index) => `${lane}${dayText(day)}",${renderRate(counts[index] ?? 0, sums[index] ?? 0)}}`)
    .join(separator);
}

/** As CSV of rates has them: what is null is empty, a count of none is 0. */
function csvOfLane({ origin, destination, days, counts, sums }: LaneChanges): string {
  const ends = `${csvField(origin)},${csvField(destination)},`;
  const line = (day: number, count: number, sum: number): string =>
    `${ends}${dayText(day)},${count < fewestItems ? '' : sum / count},${count}\r\n`;
  return days.map((day, index) => line(day, counts[index] ?? 0, sums[index] ?? 0)).join('');
}

/** Where to go on: the cursor keeps to the revision of the first page. */
function placeOf(
  until: number | undefined,
  cursor: string | undefined,
): { until: number | undefined; afterLane: number } {
  if (cursor === undefined) return { until, afterLane: 0 };
  const [revision, lane] = readCursorOf(2, cursor);
  return { until: Number(revision), afterLane: Number(lane) };
}

const backwards = (since: number, until: number): FairwayError =>
  new FairwayError('invalid_parameter', `until: revision ${until} comes before since=${since}`, {
    faults: [
      {
        parameter: 'until',
        message: `revision ${until} comes before since=${since}`,
        expected: 'the same revision as since, or a later one',
        value: String(until),
      },
    ],
  });
