/** Batches: to publish, to list, to look at, to withdraw. */
import { Readable } from 'node:stream';
import { FairwayError } from '../../errors.js';
import { listBatches, readBatch, readFaults, type Batch } from '../../ingest/batches/read.js';
import { readBody } from '../../ingest/upload/body.js';
import type { Upload } from '../../ingest/upload/context.js';
import { withdraw } from '../../ingest/withdraw.js';
import { callerOf, requireScope } from '../access.js';
import { largestMoves } from '../../query/sources/moves.js';
import {
  faultsAsCsv,
  faultsGone,
  faultsInAnswer,
  rejection,
  renderBatch,
  renderCheck,
  renderPublished,
} from '../batch-answers.js';
import { pageSizes } from '../batch-contract.js';
import { routes } from '../contract.js';
import { splitOpening } from '../opening.js';
import { chooseFormat, mediaTypes } from '../negotiate.js';
import { readCursor, readMoment, writeCursor } from '../page-query.js';
import type { Server, Services } from '../server.js';
import { bytesOf, readUploadRequest } from '../uploads.js';
import { compileValidator } from '../validator.js';

type Bytes = AsyncIterable<Uint8Array>;

export function batchesRoutes(server: Server, services: Services): void {
  // Bodies of uploads are read as they come, whatever their type.
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', (_request, payload, done) => done(null, payload));
  postRoute(server, services);
  readRoutes(server, services);
  errorsRoute(server, services);
  const { database, emit, deadline, answers, uploads } = services;
  server.route({
    ...routes.deleteBatch,
    onRequest: requireScope(services, 'withdraw'),
    handler: async (request, reply) => {
      const caller = callerOf(request);
      const open = await readBatch(database, request.params.id, caller, { deadline: deadline() });
      const { id } = open;
      if (open.parts && open.state === 'loading') {
        await uploads.parted.giveUp(id);
        return renderBatch(open);
      }
      await withdraw(database, id, emit);
      const batch = await readBatch(database, id, caller, { deadline: deadline() });
      answers.head.learn(batch.withdrawnRevision ?? 0);
      void reply.header('rates-revision', batch.withdrawnRevision ?? 0);
      return renderBatch(batch);
    },
  });
}

function postRoute(server: Server, services: Services): void {
  const { lifecycle, uploads, answers } = services;
  server.route({
    ...routes.postBatch,
    onRequest: requireScope(services, 'ingest'),
    validatorCompiler: (part) => (part.httpPart === 'body' ? () => true : compileValidator(part as never)),
    handler: async (request, reply) => {
      if (lifecycle.stopping)
        throw new FairwayError('stopping', 'this process was told to stop; send the batch again');
      const upload = readUploadRequest(request.headers, request.query, callerOf(request));
      const found = await openingOf(services, upload, bytesOf(request));
      if ('opening' in found) {
        if (request.query.dry_run) throw nothingToCheck();
        const { caller, key, replaces } = upload;
        const { format = null } = found.opening;
        const { batch, repeated } = await uploads.parted.open({ caller, key, replaces, format });
        return reply
          .code(repeated ? 200 : 201)
          .header('location', `/batches/${batch.id}`)
          .send(renderBatch(batch));
      }
      if (request.query.dry_run) return reply.send(await check(services, upload, found.body));
      const verdict = await uploads.take(upload, found.body);
      const { batch, repeated } = verdict;
      if (batch.state === 'rejected') throw await rejected(services, batch);
      answers.head.learn(batch.revision ?? 0);
      return reply
        .code(repeated ? 200 : 201)
        .headers({ location: `/batches/${batch.id}`, 'rates-revision': batch.revision ?? 0 })
        .send(renderPublished(verdict));
    },
  });
}

/** Whatever is no JSON, or is packed, is a batch. */
const openingOf = async ({ uploads }: Services, { format, encoding }: Upload, body: Bytes) =>
  format === 'json' && encoding === 'identity'
    ? splitOpening(readBody(body, encoding, uploads.limits))
    : { body };

const nothingToCheck = (): FairwayError => {
  const [parameter, message] = ['dry_run', 'is for whole batches; a batch in parts is checked part by part'];
  return new FairwayError('invalid_parameter', `${parameter}: ${message}`, {
    faults: [{ parameter, message, expected: 'no dry_run' }],
  });
};

/** Lanes whose averages are compared: each is a question of its own. */
const lanesCompared = 100;

async function check({ uploads, source, deadline }: Services, upload: Upload, body: Bytes) {
  const { read, touched } = await uploads.check(upload, body);
  if (read.faultTotal > 0) {
    const errors = read.faults.slice(0, faultsInAnswer);
    throw rejection({ errors, total: read.faultTotal, counts: read.faultCounts });
  }
  const lanes = touched.busiest(lanesCompared);
  const moves = await largestMoves(source.primary, lanes, upload.replaces, { deadline: deadline() });
  return renderCheck(read, touched, lanes.length, moves);
}

async function rejected({ database, deadline }: Services, batch: Batch): Promise<FairwayError> {
  const errors = await readFaults(database, batch.id, 0, faultsInAnswer, { deadline: deadline() });
  return rejection({ errors, total: batch.errors, counts: batch.errorCounts }, batch);
}

function readRoutes(server: Server, services: Services): void {
  const { database, deadline } = services;
  const onRequest = requireScope(services, 'ingest', 'withdraw');
  server.route({
    ...routes.batches,
    onRequest,
    handler: async (request) => {
      const { state, key, since, until, cursor, limit = pageSizes.batches } = request.query;
      const question = {
        state,
        key,
        since: since === undefined ? undefined : readMoment('since', since),
        until: until === undefined ? undefined : readMoment('until', until),
        before: cursor === undefined ? undefined : readCursor(cursor),
        limit,
      };
      const options = { deadline: deadline() };
      const { batches, more } = await listBatches(database, callerOf(request), question, options);
      const last = batches.at(-1);
      return { batches: batches.map(renderBatch), next: more && last ? writeCursor(last.id) : null };
    },
  });
  server.route({
    ...routes.batch,
    onRequest,
    handler: async (request) =>
      renderBatch(await readBatch(database, request.params.id, callerOf(request), { deadline: deadline() })),
  });
}

/** Faults of a page of CSV. */
const csvPage = 5_000;

function errorsRoute(server: Server, services: Services): void {
  const { database, deadline } = services;
  async function* pages(batch: Batch) {
    for (let from = 0; ; from += csvPage) {
      const page = await readFaults(database, batch.id, from, csvPage);
      if (page.length > 0) yield page;
      if (page.length < csvPage) return;
    }
  }
  server.route({
    ...routes.batchErrors,
    onRequest: requireScope(services, 'ingest', 'withdraw'),
    handler: async (request, reply) => {
      const { cursor, limit = pageSizes.errors, format } = request.query;
      const batch = await readBatch(database, request.params.id, callerOf(request), { deadline: deadline() });
      if (batch.state === 'rejected' && batch.purgedAt) throw faultsGone(batch, batch.purgedAt);
      reply.header('vary', 'Accept');
      if (chooseFormat(['json', 'csv'], format, request.headers.accept) === 'csv') {
        return reply
          .type(mediaTypes.csv)
          .header('content-disposition', `attachment; filename="batch-${batch.id}-errors.csv"`)
          .send(Readable.from(faultsAsCsv(pages(batch))));
      }
      const from = cursor === undefined ? 0 : Number(readCursor(cursor));
      const errors = await readFaults(database, batch.id, from, limit, { deadline: deadline() });
      const next = errors.length === limit ? writeCursor(String(from + limit)) : null;
      return { errors, error_total: batch.errors, error_counts: { ...batch.errorCounts }, next };
    },
  });
}
