/** Small dumps for tests, in the form pg_dump writes. */
import { DumpReader } from '../../src/ingest/parse/dump.js';
import { TableReader, type TableSink } from '../../src/ingest/parse/tables.js';
import type { ContentSource } from '../../src/ingest/sources.js';

export interface DumpContent {
  regions?: [slug: string, name: string, parent: string | null][];
  ports?: [code: string, name: string, parent: string][];
  prices?: [origin: string, destination: string, day: string, price: number | string][];
}

export const smallContent: Required<DumpContent> = {
  regions: [
    ['europe', 'Europe', null],
    ['baltic', 'Baltic', 'europe'],
    ['asia', 'Asia', null],
  ],
  ports: [
    ['AAAAA', 'Aaa', 'asia'],
    ['BBBBB', 'Bbb', 'baltic'],
    ['CCCCC', 'Ccc', 'europe'],
  ],
  prices: [
    ['AAAAA', 'BBBBB', '2021-01-01', 100],
    ['AAAAA', 'BBBBB', '2021-01-01', 200],
    ['AAAAA', 'BBBBB', '2021-01-01', 301],
    ['AAAAA', 'BBBBB', '2021-01-02', 7],
    ['CCCCC', 'BBBBB', '2021-01-02', 70_000],
  ],
};

const rows = (list: readonly (readonly (string | number | null)[])[]): string =>
  list.map((row) => `${row.map((field) => field ?? '\\N').join('\t')}\n`).join('');

export function dumpText(content: DumpContent = {}): string {
  const { regions, ports, prices } = { ...smallContent, ...content };
  return `--
-- PostgreSQL database dump
--

SET statement_timeout = 0;

CREATE TABLE public.ports (
    code text NOT NULL
);

COPY public.ports (code, name, parent_slug) FROM stdin;
${rows(ports)}\\.

COPY public.prices (orig_code, dest_code, day, price) FROM stdin;
${rows(prices)}\\.

COPY public.regions (slug, name, parent_slug) FROM stdin;
${rows(regions)}\\.

--
-- PostgreSQL database dump complete
--
`;
}

/** A source that reads the text in chunks of the size given. */
export const textSource = (text: string, chunkBytes = 1 << 16): ContentSource => ({
  name: 'dump',
  feed: async (reader, checkpoint) => {
    const dump = new DumpReader(reader);
    const bytes = Buffer.from(text);
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      dump.write(bytes.subarray(at, at + chunkBytes));
      await checkpoint();
    }
    dump.end();
  },
});

/** What a dump says, gathered without a database. */
export function readDumpText(
  text: string,
  chunkBytes = 1 << 16,
): { items: string[]; places: string[]; hash: string } {
  const lanes: string[] = [];
  const items: string[] = [];
  const places: string[] = [];
  const sink: TableSink = {
    port: (place) => places.push(`${place.line} port ${place.code} ${place.name} ${place.parent}`),
    region: (place) => places.push(`${place.line} region ${place.code} ${place.name} ${place.parent}`),
    lane: (origin, destination) => lanes.push(`${origin} ${destination}`),
    item: (lane, day, price) => items.push(`${lanes[lane]} ${day} ${price}`),
  };
  const reader = new TableReader(sink);
  const dump = new DumpReader(reader);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) dump.write(bytes.subarray(at, at + chunkBytes));
  dump.end();
  return { items, places, hash: reader.hash.digest().toString('hex') };
}
