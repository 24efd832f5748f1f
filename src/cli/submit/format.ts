/** What a file is, by its first bytes: in go bytes, out come its format and how it is packed. Pure. */
import { gunzipSync, constants } from 'node:zlib';

export const formats = ['csv', 'ndjson', 'json'] as const;
export type Format = (typeof formats)[number];
export type Packing = 'gzip' | 'zstd';

export const mediaTypes: Record<Format, string> = {
  csv: 'text/csv',
  ndjson: 'application/x-ndjson',
  json: 'application/json',
};

/** Source of the numbers: RFC 1952 and RFC 8878. */
const magic: [Packing, Buffer][] = [
  ['gzip', Buffer.from([0x1f, 0x8b])],
  ['zstd', Buffer.from([0x28, 0xb5, 0x2f, 0xfd])],
];

export const packingOf = (head: Buffer): Packing | undefined =>
  magic.find(([, bytes]) => head.subarray(0, bytes.length).equals(bytes))?.[0];

/** The beginning of what is packed, from the beginning of the file; empty where it cannot be unpacked here. */
export function unpackHead(head: Buffer, packing: Packing | undefined): Buffer {
  if (packing === undefined) return head;
  if (packing === 'zstd') return Buffer.alloc(0);
  try {
    return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
  } catch {
    return Buffer.alloc(0);
  }
}

/** JSON and NDJSON are told apart by their first characters; all else is CSV. */
export function formatOf(head: Buffer): Format {
  const text = head
    .toString('utf8')
    .replace(/^\uFEFF/, '')
    .trimStart();
  if (text.startsWith('[')) return 'json';
  if (/^\{\s*"prices"\s*:/.test(text)) return 'json';
  return text.startsWith('{') ? 'ndjson' : 'csv';
}
