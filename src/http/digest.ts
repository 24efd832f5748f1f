/** Content-Digest (RFC 9530): in goes the header, out comes the SHA-256, and back. Pure. */
import { FairwayError } from '../errors.js';

export const writeDigest = (sha256: Buffer): string => `sha-256=:${sha256.toString('base64')}:`;

/** Digests of other kinds beside it are passed over. Throws `invalid_parameter`. */
export function readDigest(header: string): Buffer {
  const encoded = /(?:^|,)[ \t]*sha-256=:([A-Za-z0-9+/]{43}=):[ \t]*(?:,|$)/.exec(header)?.[1];
  if (encoded !== undefined) return Buffer.from(encoded, 'base64');
  const [parameter, message] = ['content-digest', 'has no SHA-256'];
  throw new FairwayError('invalid_parameter', `${parameter}: ${message}`, {
    faults: [
      {
        parameter,
        message,
        expected: 'sha-256=:BASE64: over the bytes as sent',
        value: header.slice(0, 200),
      },
    ],
  });
}
