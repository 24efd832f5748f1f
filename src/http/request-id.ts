/** Ids of requests: no other process has them, and they cost next to nothing (a random one each: a microsecond when cold). */
import { randomBytes } from 'node:crypto';

const ofProcess = randomBytes(12).toString('hex');
let requests = 0;

export const newRequestId = (): string => `${ofProcess}-${(++requests).toString(16).padStart(11, '0')}`;
