import { expect, test } from 'vitest';
import { Places, type PlaceRow } from '../../src/query/places.js';
import { samplePorts, sampleRegions } from '../../src/sample/places.js';

const rows: PlaceRow[] = [
  ...sampleRegions.map((place) => ({ kind: 'region' as const, ...place })),
  ...samplePorts.map((place) => ({ kind: 'port' as const, ...place })),
];
const places = new Places(1, rows);
const codes = (text: string): string[] => places.near(text).map((place) => place.code);

test('a region means every port below it, at any depth; a port means itself', () => {
  expect(places.portsOf('CNGGZ')).toEqual(['CNGGZ']);
  expect(places.portsOf('pearl_river_delta')).toEqual(['CNGGZ', 'CNNSA', 'CNSHK', 'CNYTN', 'HKHKG']);
  expect(new Set(places.portsOf('asia'))).toEqual(
    new Set([
      ...(places.portsOf('east_asia') ?? []),
      ...(places.portsOf('persian_gulf') ?? []),
      'SAJED',
      ...(places.portsOf('south_asia') ?? []),
      ...(places.portsOf('south_east_asia') ?? []),
    ]),
  );
  expect(places.portsOf('nowhere')).toBeUndefined();
});

test('search: the beginning of the code or of any word of the name; case and accents do not matter', () => {
  expect(places.search('port', 'cng')).toEqual(['CNGGZ']);
  expect(places.search('port', 'chi minh')).toEqual(['VNSGN']);
  expect(places.search('port', 'Göte')).toEqual(['SEGOT']);
  expect(places.search('port', 'gote')).toEqual(['SEGOT']);
  expect(places.search('port', 'kobenh')).toEqual(['DKCPH']);
  expect(places.search('port', 'maloy')).toEqual(['NOMAY']);
  expect(places.search('port', 'sur')).toEqual(['FRFOS', 'IDSUB']);
  expect(places.search('region', 'WEST')).toEqual(['us_west_coast', 'west_mediterranean']);
  expect(places.search('region', 'north_s')).toEqual(['north_sea']);
  expect(places.search('port', 'terdam')).toEqual([]);
});

test('near matches: misspelt codes and slugs, names, beginnings; nothing for what is like nothing', () => {
  expect(codes('CNGGX')[0]).toBe('CNGGZ');
  expect(codes('cnggz')[0]).toBe('CNGGZ');
  expect(codes('Rotterdm')[0]).toBe('NLRTM');
  expect(codes('north-sea')[0]).toBe('north_sea');
  expect(codes('mediteranean')[0]).toBe('mediterranean');
  expect(codes('qqqqqqqqqq')).toEqual([]);
  expect(codes('x'.repeat(1_000))).toEqual([]);
  expect(codes('')).toEqual([]);
});

test('the tree nests every region and port once', () => {
  const slugs: string[] = [];
  const found: string[] = [];
  const walk = (regions: ReturnType<Places['tree']>, depth: number): number =>
    Math.max(
      depth,
      ...regions.map((region) => {
        slugs.push(region.slug);
        found.push(...region.ports.map((port) => port.code));
        return walk(region.regions, depth + 1);
      }),
    );
  expect(walk(places.tree(), 0)).toBeGreaterThanOrEqual(4);
  expect(slugs.sort()).toEqual(sampleRegions.map((region) => region.code).sort());
  expect(found.sort()).toEqual(samplePorts.map((port) => port.code).sort());
});
