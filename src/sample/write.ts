/** Sample data as text: CSV, or a dump in pg_dump's plain format that psql and `fairway import` take. */
import { once } from 'node:events';
import { formatDay } from '../days.js';
import { generateItems, type SampleOptions } from './generate.js';
import { samplePorts, sampleRegions, type SamplePlace } from './places.js';

const chunkCharacters = 1 << 16;

/** Writes everything, as fast as the output takes it; does not end the output. Rejects when the output fails. */
export async function writeSample(
  options: SampleOptions,
  format: 'csv' | 'dump',
  output: NodeJS.WritableStream,
): Promise<void> {
  const failure = once(output, 'close').then(() => undefined);
  failure.catch(() => undefined);
  for (const chunk of chunks(format === 'csv' ? csvLines(options) : dumpLines(options))) {
    if (output.write(chunk)) continue;
    if (!output.writable) break;
    await Promise.race([once(output, 'drain'), failure]);
    if (!output.writable) break;
  }
}

function* chunks(lines: Iterable<string>): Generator<string> {
  let chunk = '';
  for (const line of lines) {
    chunk += line;
    if (chunk.length < chunkCharacters) continue;
    yield chunk;
    chunk = '';
  }
  if (chunk !== '') yield chunk;
}

function* csvLines(options: SampleOptions): Generator<string> {
  const day = dayWriter();
  yield 'orig_code,dest_code,day,price\n';
  for (const item of generateItems(options))
    yield `${item.origin},${item.destination},${day(item.day)},${item.price}\n`;
}

function* dumpLines(options: SampleOptions): Generator<string> {
  const day = dayWriter();
  yield opening;
  yield '\nCOPY public.ports (code, name, parent_slug) FROM stdin;\n';
  yield* samplePorts.map(placeLine);
  yield '\\.\n\n\nCOPY public.prices (orig_code, dest_code, day, price) FROM stdin;\n';
  for (const item of generateItems(options))
    yield `${item.origin}\t${item.destination}\t${day(item.day)}\t${item.price}\n`;
  yield '\\.\n\n\nCOPY public.regions (slug, name, parent_slug) FROM stdin;\n';
  yield* sampleRegions.map(placeLine);
  yield closing;
}

const placeLine = ({ code, name, parent }: SamplePlace): string => `${code}\t${name}\t${parent ?? '\\N'}\n`;

/** Days come again and again; writing each once is what makes this fast. */
function dayWriter(): (day: number) => string {
  const known = new Map<number, string>();
  return (day) => {
    let text = known.get(day);
    if (text === undefined) known.set(day, (text = formatDay(day)));
    return text;
  };
}

const opening = `--
-- PostgreSQL database dump
--

-- Made by: fairway sample

SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;

CREATE TABLE public.ports (
    code text NOT NULL,
    name text NOT NULL,
    parent_slug text NOT NULL
);

CREATE TABLE public.prices (
    orig_code text NOT NULL,
    dest_code text NOT NULL,
    day date NOT NULL,
    price integer NOT NULL
);

CREATE TABLE public.regions (
    slug text NOT NULL,
    name text NOT NULL,
    parent_slug text
);

`;

const closing = `\\.


ALTER TABLE ONLY public.ports
    ADD CONSTRAINT ports_pkey PRIMARY KEY (code);

ALTER TABLE ONLY public.regions
    ADD CONSTRAINT regions_pkey PRIMARY KEY (slug);

ALTER TABLE ONLY public.ports
    ADD CONSTRAINT ports_parent_slug_fkey FOREIGN KEY (parent_slug) REFERENCES public.regions(slug);

ALTER TABLE ONLY public.prices
    ADD CONSTRAINT prices_dest_code_fkey FOREIGN KEY (dest_code) REFERENCES public.ports(code);

ALTER TABLE ONLY public.prices
    ADD CONSTRAINT prices_orig_code_fkey FOREIGN KEY (orig_code) REFERENCES public.ports(code);

ALTER TABLE ONLY public.regions
    ADD CONSTRAINT regions_parent_slug_fkey FOREIGN KEY (parent_slug) REFERENCES public.regions(slug);

--
-- PostgreSQL database dump complete
--

`;
