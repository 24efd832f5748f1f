/** Ports and regions: to list, to search, to make and to change. */
import type { FastifyReply } from 'fastify';
import { FairwayError } from '../../errors.js';
import { putPlace, type PlaceChange, type PlaceRow } from '../../ingest/places.js';
import { revisionText } from '../../query/ends.js';
import type { PlaceName, Places, Port, Region } from '../../query/places.js';
import { placesFor } from '../../query/rates.js';
import { requireScope } from '../access.js';
import { routes } from '../contract.js';
import { momentOf, type MomentQuery } from '../page-query.js';
import type { Server, Services } from '../server.js';

export function placesRoutes(server: Server, services: Services): void {
  const { source, answers, deadline } = services;
  /** The tree that is meant; the answer names its revision. */
  const treeFor = async (query: MomentQuery, reply: FastifyReply) => {
    const tree = await placesFor(source, momentOf(query), { deadline: deadline() });
    answers.head.learn(tree.revision);
    void reply.header('rates-revision', tree.revision);
    return tree;
  };

  server.route({
    ...routes.ports,
    handler: async ({ query }, reply) => {
      const { places, revision } = await treeFor(query, reply);
      const codes =
        query.search === undefined ? [...places.ports.keys()] : places.search('port', query.search);
      const region =
        query.region === undefined ? undefined : existing(places, 'region', query.region, query.as_of).slug;
      const within = region === undefined ? undefined : new Set(places.codesBelow(region));
      const wanted = codes.filter((code) => within?.has(code) ?? true).slice(0, query.limit);
      return { ports: wanted.map((code) => existing(places, 'port', code)), revision };
    },
  });
  server.route({
    ...routes.regions,
    handler: async ({ query }, reply) => {
      if (query.view === 'tree' && (query.search !== undefined || query.limit !== undefined)) {
        throw new FairwayError('invalid_parameter', 'view=tree takes neither search nor limit');
      }
      const { places, revision } = await treeFor(query, reply);
      if (query.view === 'tree') return { regions: places.tree(), revision };
      const slugs =
        query.search === undefined ? [...places.regions.keys()] : places.search('region', query.search);
      return {
        regions: slugs.slice(0, query.limit).map((slug) => existing(places, 'region', slug)),
        revision,
      };
    },
  });
  server.route({
    ...routes.port,
    handler: async ({ params, query }, reply) => {
      const { places, revision } = await treeFor(query, reply);
      return { ...existing(places, 'port', params.code, query.as_of), revision };
    },
  });
  server.route({
    ...routes.region,
    handler: async ({ params, query }, reply) => {
      const { places, revision } = await treeFor(query, reply);
      const region = existing(places, 'region', params.slug, query.as_of);
      return { ...region, ports: places.codesBelow(region.slug).length, revision };
    },
  });
}

export function placeChangesRoutes(server: Server, services: Services): void {
  const { database, emit, deadline } = services;
  const put = (place: PlaceRow): Promise<PlaceChange> =>
    putPlace(database, place, emit, { deadline: deadline() });
  // Before the body is read: who may not write need not send it.
  const onRequest = requireScope(services, 'admin');
  server.route({
    ...routes.putPort,
    onRequest,
    handler: async ({ params: { code }, body }, reply) => {
      const { outcome, revision } = await put({ kind: 'port', code, ...body });
      return reply
        .code(outcome === 'created' ? 201 : 200)
        .header('rates-revision', revision)
        .send({ code, ...body, revision });
    },
  });
  server.route({
    ...routes.putRegion,
    onRequest,
    handler: async ({ params: { slug }, body }, reply) => {
      const { outcome, revision } = await put({ kind: 'region', code: slug, ...body });
      return reply
        .code(outcome === 'created' ? 201 : 200)
        .header('rates-revision', revision)
        .send({ slug, ...body, revision });
    },
  });
}

function existing(places: Places, kind: 'port', code: string, asOf?: number): Port;
function existing(places: Places, kind: 'region', code: string, asOf?: number): Region;
function existing(places: Places, kind: PlaceName['kind'], code: string, asOf?: number): Port | Region {
  const found = kind === 'port' ? places.ports.get(code) : places.regions.get(code);
  if (found) return found;
  const suggestions = places.near(code, [kind]);
  const names = suggestions.map((place) => `${place.code} (${place.name})`).join(', ');
  const message = `there is no ${kind} '${code}'${revisionText(asOf)}`;
  throw new FairwayError('place_unknown', names === '' ? message : `${message}; did you mean ${names}?`, {
    faults: [
      {
        parameter: kind === 'port' ? 'code' : 'region',
        message,
        expected: kind === 'port' ? 'a code that /ports lists' : 'a slug that /regions lists',
        value: code,
        suggestions,
      },
    ],
  });
}
