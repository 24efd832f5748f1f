/** What is said to the service about a batch in parts: a request each. In go numbers and bodies, out come its answers. */
import type { BatchAnswer } from '../../batch-texts.js';
import { batchPath } from '../../faults.js';
import { ask, errorOf, isGood, jsonBody, send, type Answer, type Service } from '../../client.js';
import { mediaTypes } from '../format.js';
import type { Try } from '../retry.js';
import type { Rejection } from './faults.js';
import type { Part } from './parts.js';
import type { LineFormat } from './records.js';

export interface ArrivedPart {
  part: number;
  items: number;
  /** As in `Content-Digest`. */
  digest: string;
}

export const digestField = (digest: string): string => `sha-256=:${digest}:`;

export interface Opening {
  key: string;
  format: LineFormat;
  replaces: string | undefined;
}

/** Throws `key_conflict` where the key belongs to something else. */
export async function open(
  service: Service,
  { key, format, replaces }: Opening,
  { silenceMilliseconds }: Try,
): Promise<{ batch: BatchAnswer; isNew: boolean }> {
  const answer = await send(service, {
    method: 'POST',
    path: replaces === undefined ? '/batches' : `/batches?replaces=${replaces}`,
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: jsonBody({ parts: true, format }),
    silenceMilliseconds,
  });
  return { batch: good(service, answer) as BatchAnswer, isNew: answer.status === 201 };
}

/** All that arrived, by number. */
export async function arrivedParts(service: Service, batch: string): Promise<Map<number, ArrivedPart>> {
  const all = new Map<number, ArrivedPart>();
  for (let cursor: string | null = ''; cursor !== null;) {
    const query = new URLSearchParams({ limit: '10000', ...(cursor === '' ? {} : { cursor }) });
    const page = (await ask(service, { path: `${batchPath(batch)}/parts?${query.toString()}` })) as {
      parts: ArrivedPart[];
      next: string | null;
    };
    for (const part of page.parts) all.set(part.part, part);
    cursor = page.next;
  }
  return all;
}

/** The part as it is stored, or its faults. */
export async function sendPart(
  service: Service,
  { batch, format }: { batch: string; format: LineFormat },
  part: Part,
  { onBytes, ...limits }: Try & { onBytes: (chunk: Buffer) => void; signal: AbortSignal },
): Promise<ArrivedPart | Rejection> {
  const answer = await send(service, {
    method: 'PUT',
    path: `${batchPath(batch)}/parts/${part.number}`,
    headers: {
      'content-type': mediaTypes[format],
      'content-digest': digestField(part.digest),
      ...(part.packed ? { 'content-encoding': 'gzip' } : {}),
    },
    body: { bytes: part.body(onBytes), size: part.size },
    ...limits,
  });
  const { error_counts: faults } = (answer.json ?? {}) as Partial<Rejection>;
  if (answer.status === 422 && faults !== undefined) return answer.json as Rejection;
  return good(service, answer) as ArrivedPart;
}

export async function publish(
  service: Service,
  batch: string,
  stated: { parts: number; items: number },
  { silenceMilliseconds }: Try,
): Promise<Answer> {
  const answer = await send(service, {
    method: 'POST',
    path: `${batchPath(batch)}/publish`,
    headers: { 'content-type': 'application/json' },
    body: jsonBody(stated),
    silenceMilliseconds,
  });
  good(service, answer);
  return answer;
}

/** Throws `batch_state` where it is published: it is never withdrawn. */
export const giveUp = (service: Service, batch: string): Promise<unknown> =>
  ask(service, { method: 'DELETE', path: `${batchPath(batch)}/parts` });

/** Throws the error that any other answer stands for. */
function good(service: Service, answer: Answer): unknown {
  if (isGood(answer.status) && answer.json !== undefined) return answer.json;
  throw errorOf(service, answer);
}
