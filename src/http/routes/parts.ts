/** Batches in parts: to store a part, to list them, to publish, to give up. What opens one is beside whole batches, at the same address. */
import { FairwayError } from '../../errors.js';
import { readBatch } from '../../ingest/batches/read.js';
import { listParts } from '../../ingest/parted.js';
import { callerOf, requireScope } from '../access.js';
import { partRejection, renderBatch, renderPart } from '../batch-answers.js';
import { routes } from '../contract.js';
import { partPages } from '../part-contract.js';
import { readCursor, writeCursor } from '../page-query.js';
import type { Server, Services } from '../server.js';
import { bytesOf, readPartRequest } from '../uploads.js';
import { compileValidator } from '../validator.js';

/** Its body is read as it comes, whatever its type. */
export function putPartRoute(server: Server, services: Services): void {
  const { lifecycle, uploads } = services;
  server.route({
    ...routes.putPart,
    onRequest: requireScope(services, 'ingest'),
    validatorCompiler: (part) => (part.httpPart === 'body' ? () => true : compileValidator(part as never)),
    handler: async (request, reply) => {
      if (lifecycle.stopping)
        throw new FairwayError('stopping', 'this process was told to stop; send the part again');
      const upload = readPartRequest(request.headers, request.params, callerOf(request));
      const verdict = await uploads.parted.put(upload, bytesOf(request));
      if ('faulty' in verdict) throw partRejection(upload.part, verdict.faulty);
      const { part, repeated } = verdict;
      return reply.code(repeated ? 200 : 201).send({ batch: upload.batch, ...renderPart(part) });
    },
  });
}

export function partsRoutes(server: Server, services: Services): void {
  const { database, uploads, answers, deadline } = services;
  server.route({
    ...routes.parts,
    onRequest: requireScope(services, 'ingest'),
    handler: async (request) => {
      const { cursor, limit = partPages.usual } = request.query;
      const page = { after: cursor === undefined ? '0' : readCursor(cursor), limit };
      const { id } = request.params;
      const { parts, items, more } = await listParts(database, id, callerOf(request), page, {
        deadline: deadline(),
      });
      const last = parts.at(-1);
      return {
        parts: parts.map(renderPart),
        items,
        next: more && last ? writeCursor(String(last.part)) : null,
      };
    },
  });
  server.route({
    ...routes.publishBatch,
    onRequest: requireScope(services, 'ingest'),
    handler: async (request, reply) => {
      const batch = await uploads.parted.publish(request.params.id, callerOf(request), request.body);
      answers.head.learn(batch.revision ?? 0);
      return reply.header('rates-revision', batch.revision ?? 0).send(renderBatch(batch));
    },
  });
  server.route({
    ...routes.giveUpBatch,
    onRequest: requireScope(services, 'ingest'),
    handler: async (request) => {
      const batch = await readBatch(database, request.params.id, callerOf(request), { deadline: deadline() });
      await uploads.parted.giveUp(batch.id);
      return renderBatch(batch);
    },
  });
}
