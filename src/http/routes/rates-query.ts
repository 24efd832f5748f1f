/** POST /rates/query: many questions of one revision, answered as a stream. */
import { Readable } from 'node:stream';
import { FairwayError, type ParameterFault } from '../../errors.js';
import { answersOfMany, type AnswersOfMany, type ManyQuestions } from '../../query/many.js';
import { AnswerBytes } from '../../query/answer-bytes.js';
import type { RatesQuestion } from '../../query/rates.js';
import { csvOfRates, ratesColumns } from '../../query/render.js';
import { routes } from '../contract.js';
import { askerWithKey } from '../asker.js';
import { csvField } from '../csv.js';
import { chooseFormat, mediaTypes, type AnswerFormat } from '../negotiate.js';
import { mostDays } from '../query-contract.js';
import { parseQuestion } from '../question.js';
import type { Server, Services } from '../server.js';

type RawQuestion = Readonly<Record<string, string>>;

interface Body {
  questions: readonly RawQuestion[];
  stats?: readonly string[];
  as_of?: number;
  min_revision?: number;
}

export function ratesQueryRoute(server: Server, services: Services): void {
  const { source, answers } = services;
  server.route({
    ...routes.ratesQuery,
    handler: async (request, reply) => {
      const body = request.body as Body;
      const format = chooseFormat(['json', 'ndjson', 'csv'], request.query.format, request.headers.accept);
      const many = readQuestions(body);
      const options = await askerWithKey(services, request.raw, reply.raw);
      const answered = await answersOfMany(source, many, options);
      answers.head.learn(answered.revision);
      const headers = {
        'rates-revision': answered.revision,
        'content-type': mediaTypes[format],
        vary: 'Accept',
      };
      const text = render(format, body.questions, many, answered);
      return reply.headers(headers).send(Readable.from(text, { objectMode: false }));
    },
  });
}

/** Faults that are told: a list that is wrong all over needs no thousand. */
const mostFaults = 20;

/** Throws `invalid_parameter` with the faults of each question, `too_costly`. */
function readQuestions({ questions, stats, as_of, min_revision }: Body): ManyQuestions {
  const faults: ParameterFault[] = [];
  const read: RatesQuestion[] = [];
  for (const [index, question] of questions.entries()) {
    try {
      read.push(parseQuestion(index === 0 && stats ? { ...question, stats: stats.join(',') } : question));
    } catch (error) {
      if (!(error instanceof FairwayError) || error.code !== 'invalid_parameter') throw error;
      for (const fault of error.faults)
        faults.push({
          ...fault,
          parameter: fault.parameter === 'stats' ? 'stats' : `questions[${index}].${fault.parameter}`,
        });
    }
  }
  if (faults.length > 0) {
    const told = faults.slice(0, mostFaults);
    const more = faults.length > told.length ? `; and ${faults.length - told.length} more` : '';
    throw new FairwayError(
      'invalid_parameter',
      told.map(({ parameter, message }) => `${parameter}: ${message}`).join('; ') + more,
      { faults: told },
    );
  }
  const days = read.reduce((sum, { from, to }) => sum + Math.max(0, to - from + 1), 0);
  if (days > mostDays)
    throw new FairwayError(
      'too_costly',
      `the questions span ${days} days in all, and ${mostDays} are the most; send them in several requests`,
    );
  const statistics = read[0]?.statistics;
  return {
    questions: read,
    ...(statistics ? { statistics } : {}),
    ...(as_of === undefined ? {} : { asOf: as_of }),
    ...(min_revision === undefined ? {} : { minRevision: min_revision }),
  };
}

async function* render(
  format: AnswerFormat,
  questions: readonly RawQuestion[],
  { statistics }: ManyQuestions,
  { revision, answers }: AnswersOfMany,
): AsyncGenerator<Buffer> {
  const bytes = new AnswerBytes();
  if (format === 'json') bytes.text(`{"revision":${revision},"answers":[`);
  else if (format === 'csv')
    bytes.text(`${['origin', 'destination', ...ratesColumns(statistics)].join(',')}\r\n`);
  let index = 0;
  for await (const some of answers) {
    for (const { totals, statistics: values } of some) {
      const question = questions[index++] ?? {};
      if (format === 'csv') bytes.text(csvOfRates(totals, values, endsAsCsv(question)));
      else {
        if (format === 'json' && index > 1) bytes.text(',');
        // The question's members, then those of its answer, in one object.
        bytes.openObject(question);
        bytes.ratesMember(totals, values);
        if (format === 'ndjson') bytes.text('\n');
      }
    }
    yield bytes.take();
  }
  if (format === 'json') yield Buffer.from(']}');
}

const endsAsCsv = (question: RawQuestion): string =>
  [question['origin'] ?? question['orig_code'], question['destination'] ?? question['dest_code']]
    .map((end) => `${csvField(end ?? '')},`)
    .join('');
